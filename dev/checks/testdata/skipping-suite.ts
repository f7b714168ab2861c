import { describe, test } from "node:test"

test("passes", () => {})
describe("a suite", { skip: "no such component here" }, () => {
  test("needs more", () => {})
})
