import assert from "node:assert/strict"
import { test } from "node:test"
import type { BackoffOptions } from "#core/retry/backoff.ts"
import { ownRetryAfter, retryAfterOf } from "./retry-after.ts"
import { partsOf } from "./testing.ts"

const longest = (failures: number, { least = 0, most = 0 }: BackoffOptions = {}): number =>
  Math.min(most, least * 2 ** (failures - 1))

test("where no upstream names a Retry-After, it doubles with every attempt, up to a minute", () => {
  const made = [0, 1, 2, 3, 4, 5, 6, 99, 1e300].map((attempt) => retryAfterOf(partsOf([500]), attempt, longest))
  assert.deepEqual(made, [1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test("it has jitter, in whole seconds of at least one", () => {
  const made = new Set(Array.from({ length: 200 }, () => ownRetryAfter(5)))
  assert.ok(made.size > 5)
  assert.ok([...made].every((seconds) => Number.isInteger(seconds) && seconds >= 16 && seconds <= 32))
  assert.equal(ownRetryAfter(0), 1)
})
