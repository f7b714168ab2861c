import assert from "node:assert/strict"
import test from "node:test"
import { change, count, day, moment, plural, shortTime, size, span, spanInWords, time, took } from "./words.ts"

const table = <T>(of: (value: T) => string, rows: readonly (readonly [T, string])[]): void =>
  assert.deepEqual(
    rows.map(([value]) => of(value)),
    rows.map(([, text]) => text),
  )

test("says how long something lasts in at most two units", () => {
  table(span, [
    [0, "0 s"],
    [59.99, "59 s"],
    [60, "1 min"],
    [3_599, "59 min"],
    [3_600, "1 h"],
    [7_920, "2 h 12 min"],
    [86_399, "23 h 59 min"],
    [86_400, "1 d"],
    [273_600, "3 d 4 h"],
    [604_799, "6 d 23 h"],
    [604_800, "7 d"],
    [1e9, "11574 d"],
    [-5, "0 s"],
    [Number.NaN, "–"],
    [Infinity, "–"],
  ])
})

test("says how long something lasts in words", () => {
  table(spanInWords, [
    [1, "1 second"],
    [40, "40 seconds"],
    [119, "1 minute"],
    [18_000, "5 hours"],
    [86_400, "1 day"],
    [273_600, "3 days"],
    [Number.NaN, "–"],
  ])
})

test("says how long something took", () => {
  table(took, [
    [0, "0 ms"],
    [0.2104, "210 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1.0 s"],
    [24.08, "24.1 s"],
    [59.96, "1 min"],
    [-1, "0 ms"],
    [Number.NaN, "–"],
  ])
})

test("writes sizes in the units of sites.yaml", () => {
  table(size, [
    [0, "0 B"],
    [1_023, "1023 B"],
    [1_024, "1 KiB"],
    [1_048_575, "1 MiB"],
    [1_258_291, "1.2 MiB"],
    [268_435_456, "256 MiB"],
    [1e18, "909495 TiB"],
    [-1, "0 B"],
    [Number.NaN, "–"],
  ])
})

test("writes numbers with separators, signs and the right plural", () => {
  table(count, [
    [0, "0"],
    [1_904, "1,904"],
    [1_000_000, "1,000,000"],
    [Number.NaN, "–"],
  ])
  table(change, [
    [12, "+12"],
    [-1_492, "−1,492"],
    [0, "±0"],
    [-0.2, "±0"],
    [Number.NaN, "–"],
  ])
  assert.equal(plural(1, "site"), "1 site")
  assert.equal(plural(1_000, "site"), "1,000 sites")
  assert.equal(plural(0, "series", "series"), "0 series")
})

test("writes times in UTC, whatever the zone of the machine", () => {
  process.env.TZ = "Pacific/Honolulu" // where it is still January
  const at = new Date("2026-02-01T00:07:31.900Z")
  assert.deepEqual(
    [day(at), time(at), shortTime(at), moment(at)],
    ["1 Feb 2026", "00:07:31 UTC", "00:07", "1 Feb 2026, 00:07:31 UTC"],
  )
  assert.deepEqual(
    [day, time, shortTime, moment].map((of) => of(new Date(Number.NaN))),
    ["–", "–", "–", "–"],
  )
})
