import assert from "node:assert/strict"
import { test } from "node:test"
import { deadlineOf, takesGzip, upstreamHeaders } from "./upstream-request.ts"

const GZIP: readonly (readonly [header: string | undefined, taken: boolean])[] = [
  [undefined, false],
  ["gzip", true],
  [" gzip ", true],
  ["deflate, gzip", true],
  ["gzip;q=1.0", false],
  ["GZIP", false],
  ["x-gzip", false],
  ["*", false],
  ["identity", false],
]
for (const [header, taken] of GZIP) {
  test(`${taken ? "asks" : "does not ask"} for gzip where the client sends ${header}`, () =>
    assert.equal(takesGzip(header), taken))
}

const DEADLINES: readonly (readonly [header: string | undefined, seconds: number])[] = [
  [undefined, 30],
  ["10", 9.5],
  ["0.5", 0.475],
  ["0.001", 0.1],
  ["3600", 30],
  ["0", 30],
  ["-1", 30],
  ["1e9", 30],
  ["NaN", 30],
  ["10, 20", 30],
]
for (const [header, seconds] of DEADLINES) {
  test(`gives Prometheus ${seconds} s where the client sends ${header}`, () =>
    assert.equal(deadlineOf({ "x-prometheus-scrape-timeout-seconds": header }, 30), seconds))
}

test("adds no Accept of its own", () => {
  assert.deepEqual(upstreamHeaders({}, 30), {
    "accept-encoding": "identity",
    "x-prometheus-scrape-timeout-seconds": "30",
    "user-agent": "fedstack-proxy",
  })
})
