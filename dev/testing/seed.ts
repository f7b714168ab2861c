import type { TestContext } from "node:test"

/** FEDSTACK_TEST_SEED, or another one each time; printed by the test. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env.FEDSTACK_TEST_SEED ?? Date.now() % 2 ** 32)
  t.diagnostic(`seed ${seed}: FEDSTACK_TEST_SEED=${seed} repeats it`)
  return seed
}
