import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { splitV2 } from "./split-v2.ts"
import { routeByLabel } from "./v2.testing.ts"

const repeat = (bytes: readonly number[], times: number): Buffer =>
  Buffer.alloc(bytes.length * times, Buffer.from(bytes))
const symbol = (text: string): Buffer => Buffer.from([0x22, text.length, ...Buffer.from(text)])
const series = (references: readonly number[], ...rest: readonly number[]): Buffer =>
  Buffer.from([0x2a, 2 + references.length + rest.length, 0x0a, references.length, ...references, ...rest])
const SAMPLE = [0x12, 0]
const EXEMPLAR = [0x22, 0]
const SYMBOLS = Buffer.concat(["", "__name__", "up", "tenant_id"].map(symbol))

for (const [what, tag, most] of [
  ["symbols", 0x22, 2 ** 20],
  ["series", 0x2a, 2 ** 18],
] as const) {
  test(`refuses a message with more ${what} than any sender has`, () => {
    assert.throws(() => splitV2(repeat([tag, 0], most + 1), routeByLabel()), {
      code: "MALFORMED_MESSAGE",
      status: 400,
      message: new RegExp(`: it has more than ${most} ${what} at byte ${2 * most + 2}\\.`),
    })
  })
}

test("counts references without keeping them all", () => {
  const references = repeat([1, 2], 2_000_000)
  const length = [0x80 | (references.length & 0x7f), 0x80 | ((references.length >> 7) & 0x7f)]
  const packed = Buffer.from([0x0a, ...length, 0x80 | ((references.length >> 14) & 0x7f), references.length >> 21])
  const size = packed.length + references.length
  const head = [0x80 | (size & 0x7f), 0x80 | ((size >> 7) & 0x7f), 0x80 | ((size >> 14) & 0x7f), size >> 21]
  const message = Buffer.concat([SYMBOLS, Buffer.from([0x2a, ...head]), packed, references])
  const { rejected } = splitV2(message, routeByLabel())
  assert.deepEqual(
    rejected.map(({ reason, series: count }) => [reason, count]),
    [["it has more than 1000 labels", 1]],
  )
})

/** Symbols in two bytes from 4 on, and a reference to each. */
function manyValues(count: number): { readonly symbols: Buffer; readonly references: readonly (readonly number[])[] } {
  const texts = Array.from({ length: count }, (_, index) => symbol(`t${index}`))
  const references = texts.map((_, index) => {
    const reference = index + 4
    return [0x80 | (reference & 0x7f), 0x80 | ((reference >> 7) & 0x7f), reference >> 14]
  })
  return { symbols: Buffer.concat([SYMBOLS, ...texts]), references }
}

test("makes no more slices than a request may have, and asks for the tenants of so many values only", () => {
  const { symbols, references } = manyValues(70_000)
  const message = Buffer.concat([symbols, ...references.map((reference) => series([1, 2, 3, ...reference], ...SAMPLE))])
  let asked = 0
  const routing = routeByLabel({
    mostTenants: 3,
    route: ([value]) => {
      asked++
      return { destinations: [{ tenant: value as TenantId, strip: 0 }], byDefault: false }
    },
  })
  const { slices, rejected, rejectedSeries, rejectedKinds, rejectedCounts } = splitV2(message, routing)
  assert.deepEqual(
    slices.map(({ tenant }) => tenant),
    ["t0", "t1", "t2"],
  )
  assert.equal(asked, 16_384)
  assert.equal(rejectedSeries, 69_997)
  assert.deepEqual(rejectedKinds, { malformed: 0, tenant: 0, too_many_tenants: 69_997, not_shared: 0 })
  assert.deepEqual(rejectedCounts, { samples: 69_997, histograms: 0, exemplars: 0 })
  assert.equal(rejected[0]?.reason, "a request may be for at most 3 tenants, and this one is for more")
  assert.ok(rejected.length <= 60)
})

test("sends exemplars apart where there are more than any sender has", () => {
  const data = series([1, 2], ...SAMPLE)
  const split = (count: number) =>
    splitV2(
      Buffer.concat([SYMBOLS, data, ...Array.from({ length: count }, () => series([1, 2], ...EXEMPLAR))]),
      routeByLabel(),
    ).slices.map(({ group, series: all, counts }) => [group, all, counts.exemplars])
  assert.deepEqual(split(65_536), [["", 1, 65_536]])
  assert.deepEqual(split(65_537), [
    ["", 1, 0],
    [" exemplars", 65_537, 65_537],
  ])
})
