import assert from "node:assert/strict"
import { test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Batch, Split } from "./slice.ts"
import { splitV1 } from "./split-v1.ts"
import { splitV2 } from "./split-v2.ts"
import { field, label, sample, timeSeries } from "./v1.testing.ts"
import { routeByLabel } from "./v2.testing.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** What --limit.bytes-in-flight counts for a request besides its bytes, of the largest message. */
const MOST = 64 * 2 ** 20
/** As many as a message may have. */
const SERIES = 2 ** 18

const routing = routeByLabel({
  mostTenants: 1000,
  route: ([value = "0"]) =>
    value.startsWith("/")
      ? { refused: `${value} is no tenant`, tenant: value }
      : { destinations: [{ tenant: value as TenantId, strip: 0 }], byDefault: false },
})

const many = (make: (index: number) => Buffer, count = SERIES): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)))
const repeat = (bytes: Buffer, count: number): Buffer => Buffer.alloc(bytes.length * count, bytes)

const name = label("__name__", "a")
const labels = Array.from({ length: 999 }, (_, index) => label(`l${index + 1000}`, ""))
const symbols = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => field(4, Buffer.from(text))))
const BASE = symbols(["", "__name__", "a", "tenant_id"])
const series = (references: readonly number[], ...rest: Buffer[]): Buffer =>
  field(5, Buffer.concat([field(1, Buffer.from(references)), ...rest]))
const number = (value: number): readonly number[] => [0x80 | (value & 0x7f), 0x80 | ((value >> 7) & 0x7f), value >> 14]
const texts = (prefix: string): Buffer => symbols(Array.from({ length: SERIES }, (_, index) => `${prefix}${index}`))
const named = (prefix: string): Buffer =>
  Buffer.concat([BASE, texts(prefix), many((index) => series([1, 2, 3, ...number(index + 4)], sample()))])

const SHAPES: Readonly<Record<string, readonly [version: 1 | 2, make: () => Buffer]>> = {
  "empty series of version 1": [1, () => repeat(field(1, Buffer.alloc(0)), SERIES)],
  "short series of version 1": [1, () => repeat(timeSeries(name, sample()), SERIES)],
  "labels of version 1": [1, () => repeat(timeSeries(name, ...labels.slice(1), sample()), 2000)],
  "tenants of version 1": [1, () => many((index) => timeSeries(name, label("tenant_id", `t${index}`), sample()))],
  "refused tenants of version 1": [
    1,
    () => many((index) => timeSeries(name, label("tenant_id", `/${index}`), sample())),
  ],
  "empty series of version 2": [2, () => Buffer.concat([BASE, repeat(field(5, Buffer.alloc(0)), SERIES)])],
  "short series of version 2": [2, () => Buffer.concat([BASE, repeat(series([1, 2], sample()), SERIES)])],
  "series with exemplars only": [
    2,
    () => Buffer.concat([BASE, repeat(series([1, 2], field(4, Buffer.alloc(0))), SERIES)]),
  ],
  "symbols of version 2": [2, () => Buffer.concat([BASE, repeat(field(4, Buffer.alloc(0)), 2 ** 20 - 4)])],
  "tenants of version 2": [2, () => named("t")],
  "refused tenants of version 2": [2, () => named("/")],
}

const used = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Of each slice the elements are kept, as in a queue. */
function keep(split: Split, version: 1 | 2): readonly Batch[] {
  return split.slices.map((slice) => {
    const batch: Batch = { version, symbols: 0, decodedBytes: 0, chunks: [] }
    slice.appendTo(batch)
    return batch
  })
}

for (const [what, [version, make]] of Object.entries(SHAPES)) {
  test(`as many ${what} as a message may have take no more memory than is counted for them`, () => {
    const message = make()
    const before = used()
    const split = version === 1 ? splitV1(message, routing, { now: 0 }) : splitV2(message, routing)
    const afterSplit = used() - before
    const batches = keep(split, version)
    const afterAll = used() - before
    assert.ok(afterSplit < MOST && afterAll < MOST, `${afterSplit} and ${afterAll} bytes of ${message.length}`)
    assert.equal(batches.length, split.slices.length)
    assert.ok(split.slices.length <= 1000 && split.rejected.length <= 60)
  })
}
