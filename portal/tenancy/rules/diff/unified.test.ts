import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { unified } from "./unified.ts"

/** What `patch` makes of it. */
function patched(before: readonly string[], diff: readonly string[]): readonly string[] {
  const result: string[] = []
  let at = 0
  for (const line of diff) {
    const [, from, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? []
    if (from !== undefined) {
      const start = count === "0" ? Number(from) : Number(from) - 1
      result.push(...before.slice(at, start))
      at = start
    } else if (line.startsWith("+")) result.push(line.slice(1))
    else {
      assert.equal(line.slice(1), before[at])
      if (line.startsWith(" ")) result.push(line.slice(1))
      at++
    }
  }
  return [...result, ...before.slice(at)]
}

test("a diff of random lines turns the first into the second", (t) => {
  const random = seeded(seedOf(t))
  const lines = () => Array.from({ length: random.below(20) }, () => random.pick(["a", "b", "c", "d", "e"]))
  for (let round = 0; round < 2000; round++) {
    const before = lines()
    const after = random.chance(0.5) ? lines() : before.filter(() => random.chance(0.9))
    assert.deepEqual(patched(before, unified(before, after)), after)
  }
})

test("lines that are the same are no diff, and very many are still one", () => {
  assert.deepEqual(unified(["a", "b"], ["a", "b"]), [])
  const many = (text: string) => Array.from({ length: 3000 }, (_, index) => `${text}${index}`)
  const [before, after] = [
    ["same", ...many("a"), "end"],
    ["same", ...many("b"), "end"],
  ]
  assert.deepEqual(patched(before, unified(before, after)), after)
})
