import assert from "node:assert/strict"
import { test } from "node:test"
import { deadlineOf } from "./deadline.ts"

const DEADLINES: readonly (readonly [header: string | undefined, seconds: number])[] = [
  [undefined, 30],
  ["10", 9.5],
  ["0.5", 0.475],
  ["3", 2.85],
  ["0.001", 0.1],
  ["3600", 30],
  ["0", 30],
  ["-1", 30],
  ["1e9", 30],
  ["NaN", 30],
  ["10, 20", 30],
]
for (const [header, seconds] of DEADLINES) {
  test(`gives the source ${seconds} s where the client sends ${header}`, () =>
    assert.equal(deadlineOf({ "x-prometheus-scrape-timeout-seconds": header }, 30), seconds))
}
