import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { date } from "./date.ts"

const shown = (text: string): string => {
  const value = date(text)
  return value instanceof Wrong ? "no date" : value.toISOString()
}

test("dates are UTC unless they name an offset", () => {
  const cases = [
    ["2025-01-31", "2025-01-31T00:00:00.000Z"],
    [" 2025-01-31 ", "2025-01-31T00:00:00.000Z"],
    ["2025-01-31T08:30", "2025-01-31T08:30:00.000Z"],
    ["2025-01-31 08:30:01.5", "2025-01-31T08:30:01.500Z"],
    ["2025-01-31T08:30:00Z", "2025-01-31T08:30:00.000Z"],
    ["2025-01-31T08:30:00.123456+02:00", "2025-01-31T06:30:00.123Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ]
  assert.deepEqual(
    cases.map(([text = ""]) => [text, shown(text)]),
    cases,
  )
})

test("refuses what is no date", () => {
  const texts = [
    "",
    "yesterday",
    "2025-02-30",
    "2025-13-01",
    "2025-01-31T25:00",
    "31.01.2025",
    "2025",
    "2025-01-31Z",
    "1738281600",
  ]
  assert.deepEqual(
    texts.map(shown),
    texts.map(() => "no date"),
  )
})
