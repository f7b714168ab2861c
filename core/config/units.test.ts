import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { parseDuration, parseSize } from "./units.ts"

const durations: readonly (readonly [text: string, seconds: number | undefined])[] = [
  ["0", 0],
  ["30", 30],
  ["1.5", 1.5],
  ["500ms", 0.5],
  ["1m30s", 90],
  ["1y2w3d4h5m6s7ms", 31_536_000 + 1_209_600 + 259_200 + 14_400 + 300 + 6.007],
  ["", undefined],
  ["s", undefined],
  ["-1s", undefined],
  ["1s1m", undefined],
  ["1m1m", undefined],
  ["1.5s", undefined],
  ["1 s", undefined],
  ["1e3", undefined],
  [".5", undefined],
  ["5.", undefined],
  ["1s\n", undefined],
]
for (const [text, seconds] of durations) {
  test(`the duration ${JSON.stringify(text)} is ${seconds}`, () => assert.equal(parseDuration(text), seconds))
}

test("a duration put together from its parts is their sum to the millisecond", () => {
  const part = fc.nat({ max: 999 })
  fc.assert(
    fc.property(part, part, part, part, (h, m, s, ms) => {
      assert.equal(parseDuration(`${h}h${m}m${s}s${ms}ms`), (h * 3_600_000 + m * 60_000 + s * 1000 + ms) / 1000)
    }),
  )
})

const sizes: readonly (readonly [text: string, bytes: number | undefined])[] = [
  ["0", 0],
  ["1000000", 1_000_000],
  ["5B", 5],
  ["5KB", 5000],
  ["5 MiB", 5_242_880],
  ["256MiB", 268_435_456],
  ["2GiB", 2_147_483_648],
  ["1GB", 1_000_000_000],
  ["", undefined],
  ["MiB", undefined],
  ["1.5MiB", undefined],
  ["-1", undefined],
  ["1mib", undefined],
  ["1TiB", undefined],
  ["1iB", undefined],
]
for (const [text, bytes] of sizes) {
  test(`the size ${JSON.stringify(text)} is ${bytes}`, () => assert.equal(parseSize(text), bytes))
}
