import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { splitV2 } from "./split-v2.ts"
import { type Given, messageBehind, messageOf, OTHERS, readPlain, routeByLabel, writeMessage } from "./v2.testing.ts"

const SYMBOLS = Buffer.concat(
  ["", "__name__", "up", "help", "s"].map((text) => Buffer.from([0x22, text.length, ...Buffer.from(text)])),
)
/** A message with one series of these parts. */
const messageWith = (...parts: readonly (readonly number[])[]): Buffer =>
  Buffer.concat([SYMBOLS, Buffer.from([0x2a, parts.flat().length, ...parts.flat()])])
const LABELS = [0x0a, 0x02, 1, 2]
const SAMPLE = [0x12, 0]
const sent = (message: Buffer) => splitV2(message, routeByLabel()).slices.map((slice) => readPlain(messageOf(slice)))

for (const labels of [90, 97, 104]) {
  test(`writes any number of series of ${labels} labels, behind any number of symbols`, () => {
    const series = Array.from({ length: 2500 }, (_, index): Given => {
      const pairs = Array.from({ length: labels }, (_label, label) => [`label_${label}`, `value_${label}_${index % 7}`])
      return { labels: ["__name__", `metric_${index}`, ...pairs.flat()], samples: [{ value: index, timestamp: 1 }] }
    })
    const message = writeMessage(series)
    const [slice] = splitV2(message, routeByLabel()).slices
    assert.ok(slice !== undefined)
    assert.deepEqual(readPlain(messageOf(slice)), readPlain(message))
    const behind = messageBehind(20_000, slice)
    assert.ok(behind.includes(`${OTHERS}19999`))
    assert.deepEqual(readPlain(behind), readPlain(message))
  })
}

test("joins metadata that comes in pieces, the last of each field", () => {
  const [[series] = []] = sent(
    messageWith(LABELS, SAMPLE, [0x2a, 0x04, 0x08, 1, 0x18, 3], [0x2a, 0x04, 0x20, 4, 0x08, 2]),
  )
  assert.deepEqual(series?.metadata, { type: 2, help: "help", unit: "s" })
})

test("cuts references to 32 bits", () => {
  // 2 ** 35 + 1
  const long = [0x81, 0x80, 0x80, 0x80, 0x80, 0x01]
  for (const labels of [
    [0x0a, 7, ...long, 2],
    [0x08, ...long, 0x08, 2],
  ]) {
    const [[series] = []] = sent(messageWith(labels, SAMPLE))
    assert.deepEqual(series?.labels, [["__name__", "up"]])
  }
})

const malformed: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "a time with more than 64 bits": [LABELS, [0x12, 13, 0x10, ...Array.from({ length: 11 }, () => 0x80), 0]],
  "a time that is cut off": [LABELS, [0x12, 2, 0x10, 0x80]],
  "a value that is cut off": [LABELS, [0x12, 4, 0x09, 0, 0, 0]],
  "a sample that is longer than the series": [LABELS, [0x12, 9, 0x10, 1]],
  "a reference that is cut off": [[0x0a, 2, 1, 0x80], SAMPLE],
  "a creation time of another type": [LABELS, SAMPLE, [0x32, 1, 0]],
  "samples of another type": [LABELS, [0x10, 1]],
  "exemplars of another type": [LABELS, SAMPLE, [0x20, 1]],
  "packed numbers that are cut off": [LABELS, [0x1a, 6, 0x82, 0x01, 3, 1, 2, 3]],
}
for (const [what, parts] of Object.entries(malformed)) {
  test(`refuses a message with ${what}`, () => {
    assert.throws(() => splitV2(messageWith(...parts), routeByLabel()), { code: "MALFORMED_MESSAGE", status: 400 })
  })
}

test("sends exemplars apart that have more than their labels and metadata", () => {
  const series = (...parts: readonly (readonly number[])[]) => messageWith(...parts).subarray(SYMBOLS.length)
  const message = Buffer.concat([
    messageWith(LABELS, SAMPLE),
    series(LABELS, [0x22, 0], [0x30, 5]),
    series(LABELS, [0x22, 0]),
  ])
  assert.deepEqual(
    splitV2(message, routeByLabel()).slices.map(({ group, counts }) => [group, counts.exemplars]),
    [
      ["", 1],
      [" exemplars", 1],
    ],
  )
})

test("finds the series of exemplars by the labels that remain, whichever named the tenant", () => {
  const message = writeMessage([
    { labels: ["__name__", "up", "team", "red"], samples: [{ value: 1, timestamp: 1 }] },
    { labels: ["__name__", "up", "tenant_id", "red"], exemplars: [{ labels: [], value: 1, timestamp: 1 }] },
  ])
  const routing = routeByLabel({
    tenantLabels: ["tenant_id", "team"],
    route: ([id, team]) => ({
      destinations: [{ tenant: (id ?? team) as TenantId, strip: id === undefined ? 1 : 0 }],
      byDefault: false,
    }),
  })
  assert.deepEqual(
    splitV2(message, routing).slices.map(({ group, series, counts }) => [group, series, counts.exemplars]),
    [["", 1, 1]],
  )
})
