import assert from "node:assert/strict"
import { test } from "node:test"
import { retryAfterOf } from "./retry-after.ts"

const NOW = Date.parse("2026-11-30T12:00:00Z")

const CASES: readonly (readonly [header: string | undefined, seconds: number | undefined])[] = [
  ["7", 7],
  [" 7 ", 7],
  ["0", 0],
  ["999999999999999999999", 3600],
  ["Mon, 30 Nov 2026 12:00:30 GMT", 30],
  ["Monday, 30-Nov-26 12:00:30 GMT", 30],
  ["Mon Nov 30 12:00:30 2026", 30],
  ["Mon, 30 Nov 2026 11:00:00 GMT", 0],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 3600],
  ["Mon, 99 Nov 2026 12:00:30 GMT", undefined],
  ["-5", undefined],
  ["1.5", undefined],
  ["1e3", undefined],
  ["soon", undefined],
  ["2026", 2026],
  ["2026-11-30T12:00:30Z", undefined],
  ["", undefined],
  [undefined, undefined],
]

for (const [header, seconds] of CASES)
  test(`Retry-After ${JSON.stringify(header)} is ${seconds ?? "none"}`, () => {
    assert.equal(retryAfterOf(header, NOW), seconds)
  })
