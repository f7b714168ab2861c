import assert from "node:assert/strict"
import { describe, it } from "node:test"
describe("a suite", () =>
  it("around", (context) =>
    context.test("fails", () => {
      process.stdout.write("what the test wrote\n")
      assert.equal(Number("1"), 2)
    })))
