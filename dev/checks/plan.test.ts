import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { test } from "node:test"
import { BUSY, SECONDS } from "./durations.ts"
import { planTests, sources } from "./plan.ts"

const root = join(import.meta.dirname, "../..")
const { unit, busy, waiting } = planTests(root, [])
const seconds = (file: string): number => SECONDS[relative(root, file)] ?? 0

test("every test file is planned, once", () => {
  const planned = [...unit, ...busy, ...waiting].map((file) => relative(root, file))
  assert.deepEqual(planned.toSorted(), sources(root, "**/*.test.ts"))
})

test("each section begins with its longest file", () => {
  for (const files of [unit, busy, waiting]) {
    const [first = 0, ...rest] = files.map(seconds)
    assert.ok(first > 0)
    assert.deepEqual(
      [first, ...rest],
      [first, ...rest].toSorted((one, other) => other - one),
    )
  }
})

test("what needs Docker is among the busy, which run one after the other", () => {
  const needing = sources(root, "**/*.e2e.test.ts").filter((file) =>
    /docker\/compose\.ts"|from "\.\/compose\.ts"/.test(readFileSync(join(root, file), "utf8")),
  )
  assert.ok(needing.length > 4)
  assert.deepEqual(
    needing.filter((file) => !busy.includes(join(root, file))),
    [],
  )
})

test("what is known of test files is of files that there are", () => {
  const files = sources(root, "**/*.test.ts")
  assert.deepEqual(
    Object.keys(SECONDS).filter((file) => !files.includes(file)),
    [],
  )
  assert.deepEqual(
    BUSY.filter((start) => !files.some((file) => file.startsWith(start) && file.endsWith(".e2e.test.ts"))),
    [],
  )
})
