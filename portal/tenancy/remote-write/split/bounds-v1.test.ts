import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { splitV1 } from "./split-v1.ts"
import { label, sample, timeSeries, up } from "./v1.testing.ts"
import { routeByLabel } from "./v2.testing.ts"
import { ValueIndex } from "./value-index.ts"

const name = label("__name__", "up")
const refusal = (problem: string) => ({
  ...{ code: "MALFORMED_MESSAGE", status: 400 },
  message: new RegExp(`: it has more than ${problem} at byte \\d+\\.`),
})

test("asks for the tenants of so many values only, and sets aside what has others", () => {
  let asked = 0
  const routing = routeByLabel({
    mostTenants: 3,
    route: ([value]) => {
      asked++
      return { destinations: [{ tenant: value as TenantId, strip: 0 }], byDefault: false }
    },
  })
  const message = Buffer.concat(Array.from({ length: 50_000 }, (_, index) => up(`t${index}`, "a")))
  const { slices, rejectedKinds } = splitV1(message, routing, { now: 0 })
  assert.equal(asked, 16_384)
  assert.equal(slices.length, 3)
  assert.deepEqual(rejectedKinds, { malformed: 0, tenant: 0, too_many_tenants: 49_997, not_shared: 0 })
})

test("asks once for values that are too long to be kept", () => {
  let asked = 0
  const routing = routeByLabel({
    route: () => {
      asked++
      return { refused: "too long", tenant: "" }
    },
  })
  const long = ["a", "b"].map((value) => up(value.repeat(500), "a"))
  const { rejectedSeries } = splitV1(Buffer.concat(Array.from({ length: 1000 }, () => long).flat()), routing, {
    now: 0,
  })
  assert.deepEqual([asked, rejectedSeries], [2, 2000])
})

test("refuses a message with more labels than any sender has", () => {
  const one = timeSeries(name, ...Array.from({ length: 999 }, (_, index) => label(`l${index + 1000}`, "")), sample())
  const message = Buffer.alloc(one.length * 2098, one)
  assert.throws(() => splitV1(message, routeByLabel(), { now: 0 }), refusal("2097152 labels"))
})

test("refuses a message with more fields than any sender has that are not as senders write them", () => {
  const fill = (bytes: readonly number[]): Buffer => Buffer.alloc(2 * (2 ** 21 + 1), Buffer.from(bytes))
  for (const parts of [fill([0x0a, 0]), fill([0x12, 0]), fill([0x22, 0]), fill([0x1a, 0])])
    assert.throws(() => splitV1(timeSeries(name, parts), routeByLabel(), { now: 0 }), refusal("2097152 unusual fields"))
})

test("looks at few of the values that a sender has made to have the same hash", () => {
  const index = new ValueIndex()
  const hashOf = (value: Buffer): number => {
    let hash = Math.imul(-2128831035 ^ value.length, 16777619)
    for (const byte of value) hash = Math.imul(hash ^ byte, 16777619)
    hash ^= hash >>> 15
    return hash & (2 ** 15 - 1)
  }
  const same: Buffer[] = []
  for (let number = 0; same.length < 40; number++) {
    const value = Buffer.from(String(number))
    if (hashOf(value) === 7) same.push(value)
  }
  const find = (value: Buffer): number => index.find(value, Int32Array.of(0, 0, 0, value.length), 0)
  assert.deepEqual(
    same.map((value) => find(value)),
    [...Array.from({ length: 32 }, (_, number) => number), ...Array.from({ length: 8 }, () => -1)],
  )
  assert.equal(find(same[3] ?? Buffer.alloc(0)), 3)
})
