import assert from "node:assert/strict"
import test from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { parseRuleDuration } from "./duration.ts"

const DAY = 86_400_000
const cases: readonly (readonly [text: string, milliseconds: number | string])[] = [
  ["0", 0],
  ["0s", 0],
  ["00m", 0],
  ["60s", 60_000],
  ["1m", 60_000],
  ["1m30s", 90_000],
  ["1y1w1d1h1m1s1ms", 373 * DAY + 3_661_001],
  ["0y0ms", 0],
  ["292y", 292 * 365 * DAY],
  ["9223372036854ms", 9_223_372_036_854],
  ["9223372036855ms", "must be at most 292y"],
  ["293y", "must be at most 292y"],
  [`${"9".repeat(400)}s`, "must be at most 292y"],
]
const NONE = [
  "",
  " ",
  "1",
  "00",
  "1.5h",
  "-1m",
  "+1m",
  " 1m",
  "1m ",
  "1m1h",
  "1m1m",
  "1 m",
  "m",
  "1M",
  "1min",
  "1µs",
  "١m",
]
for (const [text, expected] of [
  ...cases,
  ...NONE.map((one) => [one, "must be whole numbers with units from big to small, such as 1m30s or 2h"] as const),
])
  test(`reads ${JSON.stringify(text.slice(0, 20))}`, () => {
    const read = parseRuleDuration(text)
    assert.equal(read instanceof Wrong ? read.reason : read, expected)
  })
