import assert from "node:assert/strict"
import { test } from "node:test"
import { tokenKeys } from "./schema.ts"

const MOMENTS: readonly (readonly [text: string, moment: string | undefined])[] = [
  ["2026-12-31", "2026-12-31T00:00:00.000Z"],
  ["2026-12-31T12:00:00Z", "2026-12-31T12:00:00.000Z"],
  ["2027-01-01T00:30:00.5+01:00", "2026-12-31T23:30:00.500Z"],
  ["2026-12-31 12:00z", "2026-12-31T12:00:00.000Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ["2026-02-29", undefined],
  ["2026-02-30T12:00:00Z", undefined],
  ["2026-13-01", undefined],
  ["2026-12-31T25:00:00Z", undefined],
  ["2026-12-31T12:00:00", undefined],
  ["2026-1-1", undefined],
  ["1767225600", undefined],
  ["tomorrow", undefined],
]
for (const [text, moment] of MOMENTS) {
  test(`reads ${text} as ${moment ?? "no moment"}`, () =>
    assert.equal(tokenKeys.not_after.safeParse(text).data?.toISOString(), moment))
}
