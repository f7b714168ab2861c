import assert from "node:assert/strict"
import { test } from "node:test"
import { acceptsGzip } from "./accept-encoding.ts"

const CASES: readonly (readonly [string | string[] | undefined, boolean])[] = [
  [undefined, false],
  ["", false],
  ["gzip", true],
  [" gzip ", true],
  ["GZIP", true],
  ["x-gzip", true],
  ["*", true],
  ["identity", false],
  ["deflate, br", false],
  ["deflate, gzip", true],
  ["deflate,gzip;q=1.0,*;q=0.5", true],
  ["gzip;q=0.1", true],
  ["gzip ; Q = 0.001", true],
  ["gzip;q=0", false],
  ["gzip; q=0.000", false],
  ["*;q=0", false],
  ["gzip;q=0, *", false],
  ["*, gzip;q=0", false],
  ["gzip, *;q=0", true],
  ["identity;q=0, *", true],
  ["notgzip", false],
  ["gzipped", false],
  ["gzip;q=2", false],
  ["gzip;q=", false],
  ["gzip;level=9", false],
  [["deflate", "gzip"], true],
]
for (const [header, accepted] of CASES) {
  test(`${JSON.stringify(header)} ${accepted ? "accepts" : "does not accept"} gzip`, () =>
    assert.equal(acceptsGzip(header), accepted))
}
