import assert from "node:assert/strict"
import { test } from "node:test"
import { readArguments } from "./arguments.ts"

const read = (...argv: string[]) => readArguments(argv)

test("starts two sites and stays by default", () => {
  assert.deepEqual(read(), { kind: "values", values: { sites: 2, check: false }, argument: "" })
})

test("reads the number of sites and --check", () => {
  assert.deepEqual(read("--check", "--sites", "3"), {
    kind: "values",
    values: { sites: 3, check: true },
    argument: "",
  })
})

test("shows its help", () => {
  const help = read("--help")
  assert.equal(help.kind, "help")
  assert.match(help.kind === "help" ? help.text : "", /^Usage: dev\/up \[options\]\n/)
})

for (const [argv, message] of [
  [["--sites", "0"], '--sites: must be a whole number from 1 to 1000 (is "0")'],
  [["--sites", "many"], '--sites: must be a whole number from 1 to 1000 (is "many")'],
  [["--nothing"], "dev/up: unknown option '--nothing'. Its --help lists what it takes"],
  [["3"], "dev/up: too many arguments. Expected 0 arguments but got 1: 3. Its --help lists what it takes"],
] as const) {
  test(`refuses ${argv.join(" ")}`, () => {
    assert.throws(() => read(...argv), { name: "UsageError", exitCode: 2, message })
  })
}
