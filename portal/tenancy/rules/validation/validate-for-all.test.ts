import assert from "node:assert/strict"
import { test } from "node:test"
import { targetOf } from "./targets.ts"
import { validateForAll } from "./validate-for-all.ts"

const group = (expr: string) => ({ name: "g", rules: [{ record: "a", expr }] })
const shown = (expr: string, ...targets: readonly Parameters<typeof targetOf>[]) =>
  validateForAll(
    group(expr),
    targets.map((target) => targetOf(...target)),
  ).problems.map(({ severity, message }) => `${severity}: ${message}`)

test("what all targets refuse is an error, once", () => {
  assert.deepEqual(shown("rate(up)", ["cortex-1.21"], ["mimir"]), [
    "error: the argument of rate() must be a range vector, not an instant vector; append a range such as [5m]",
  ])
})

test("what one target refuses and another accepts is a warning that names the first", () => {
  assert.deepEqual(shown("xrate(up[5m])", ["cortex-1.21"], ["mimir"]), [
    "warning: xrate() is not a function of Mimir, only of other versions or servers (refused by Mimir)",
  ])
})

test("a warning of one target stays as it is", () => {
  const { problems } = validateForAll({ ...group("up"), source_tenants: ["a"] }, [
    targetOf("cortex-1.21"),
    targetOf("mimir"),
  ])
  assert.deepEqual(
    problems.map(({ severity, message }) => `${severity}: ${message}`),
    ["warning: is no field of a group for Cortex 1.21 (only Mimir reads it), which drops it without a word; remove it"],
  )
})

test("feature flags of a target count, also beside the same target without them", () => {
  const flags = ["promql-experimental-functions"] as const
  assert.deepEqual(shown("limitk(1, up)", ["cortex-1.21", flags]), [])
  const [first = ""] = shown("limitk(1, up)", ["cortex-1.21", flags], ["cortex-1.21"])
  assert.match(first, /^warning: .*limitk.*\)$/)
})
