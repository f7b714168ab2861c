import assert from "node:assert/strict"
import { join, relative } from "node:path"
import { test } from "node:test"
import { BUSY, SECONDS } from "./durations.ts"
import { planTests, sources } from "./plan.ts"

const root = join(import.meta.dirname, "../..")
const { unit, real } = planTests(root, [])
const seconds = (file: string): number => SECONDS[relative(root, file)] ?? 0

test("every test file is planned, once", () => {
  const planned = [...unit, ...real.map(({ file }) => file)].map((file) => relative(root, file))
  assert.deepEqual(planned.toSorted(), sources(root, "**/*.test.ts"))
})

test("each section begins with its longest file, the real ones with the longest busy one", () => {
  const busy = real.filter(({ size }) => size > 1)
  const others = real.filter(({ size }) => size === 1)
  assert.deepEqual(real, [...busy, ...others])
  for (const files of [unit, ...[busy, others].map((suites) => suites.map(({ file }) => file))]) {
    const [first = 0, ...rest] = files.map(seconds)
    assert.ok(first > 0)
    assert.deepEqual(
      rest,
      rest.toSorted((one, other) => other - one),
    )
    assert.ok(rest.every((one) => one <= first))
  }
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
