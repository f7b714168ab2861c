import assert from "node:assert/strict"
import { test } from "node:test"
import { acceptsGzip } from "./start.ts"

test("compresses only for those who say that they take gzip", () => {
  const cases: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, false],
    ["", false],
    ["identity", false],
    ["gzip", true],
    ["deflate, gzip;q=1.0, *;q=0.5", true],
    ["GZIP;q=0.1", true],
    ["gzip;q=0", false],
    ["gzip; q=0.000", false],
    ["notgzip", false],
  ]
  assert.deepEqual(
    cases.map(([header]) => [header, acceptsGzip(header)]),
    cases,
  )
})
