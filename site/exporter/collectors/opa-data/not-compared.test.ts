import assert from "node:assert/strict"
import { test } from "node:test"
import type { PodDigests } from "./digests.ts"
import { whyNotCompared } from "./not-compared.ts"
import type { OpaReading, PathCount, ReadMethod } from "./reading.ts"

const items = (keys: number, digest?: string): PathCount => ({ kind: "counted", keys, members: undefined, digest })
const reading = (method: ReadMethod, now: PathCount): OpaReading => ({
  method,
  pathCounts: [now],
  opaSeconds: 0.1,
  digests: false,
})
/** `then`: what the pod held when digests were last requested of it; `at`: when it made them. */
const pod = (then: PathCount | undefined, at: number | undefined): PodDigests => ({
  round: 0,
  pathCounts: then === undefined ? [] : [then],
  at,
  seconds: 0.1,
  cost: 0,
  silent: false,
})

for (const [title, known, now, method, expected] of [
  ["nothing is known of the pod yet", undefined, items(5), "query", "digest_pending"],
  ["it was too slow", pod(undefined, undefined), items(5), "query", "digest_failed"],
  ["it has a digest", pod(items(5, "x"), 1), items(5), "query", undefined],
  ["its digest is of what it held before", pod(items(5, "x"), 1), items(6), "query", undefined],
  ["it was empty when the others made digests", pod({ kind: "undefined" }, 1), items(5), "query", "digest_pending"],
  ["OPA makes no digest of it", pod(items(5), 1), items(5), "query", "computed"],
  ["whole documents are read", pod(items(5), undefined), items(5), "documents", "documents"],
  ["the package has no rule for it", pod(items(5), undefined), items(5), "package", "package"],
  ["digests were not requested yet", pod(items(5), undefined), items(5), "query", "digest_pending"],
  ["there is nothing at the path", undefined, { kind: "undefined" }, "query", undefined],
  ["it is empty", undefined, items(0), "documents", undefined],
] as const) {
  test(`a pod is ${expected === undefined ? "compared" : `not compared (${expected})`} where ${title}`, () =>
    assert.equal(whyNotCompared(known, 0, now, reading(method, now)), expected))
}
