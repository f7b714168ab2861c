import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { FedstackError } from "#core/errors.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Destination, Routing } from "../routing/routing.ts"
import { anyMessageV1 } from "./message-v1.testing.ts"
import { expectedSplit, seriesOf } from "./oracle-v1.testing.ts"
import type { Split } from "./slice.ts"
import { splitV1 } from "./split-v1.ts"
import { field, label, messageOf, sample, timeSeries } from "./v1.testing.ts"

/** Every value of a tenant label is a tenant, and `all` gets everything with its labels. */
const routing: Routing = {
  tenantLabels: ["tenant_id", "team"],
  groupLabels: ["cluster", "job"],
  mostTenants: 1000,
  route: (values) => {
    const destinations = new Map<string, Destination>()
    for (const [strip, value] of values.entries()) {
      if (value?.includes("|")) return { refused: `${value} is no tenant id`, tenant: "" }
      if (value !== undefined && !destinations.has(value)) destinations.set(value, { tenant: value as TenantId, strip })
    }
    destinations.set("all", { tenant: "all" as TenantId, strip: undefined })
    return { destinations: [...destinations.values()], byDefault: destinations.size === 1 }
  },
}

const contents = ({ received, slices, rejectedSeries }: Split) => ({
  received,
  rejected: rejectedSeries,
  slices: new Map(
    slices.flatMap((slice) => {
      const { tenant, group, counts, series } = slice
      const message = seriesOf(Buffer.from(messageOf(slice), "latin1")).toString("latin1")
      // of metadata it has nothing but that
      return series === 0 ? [] : [[`${tenant} ${group}`, { message, counts: { ...counts }, series }] as const]
    }),
  ),
})

/** Undefined where the message is refused. Anything else that is thrown fails the test. */
function split(message: Buffer): Split | undefined {
  try {
    return splitV1(message, routing, { now: 0 })
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    assert.equal(error.status, 400)
    return undefined
  }
}

function compare(message: Buffer): "refused" | "split" {
  const expected = expectedSplit(message, routing)
  const actual = split(message)
  assert.equal(actual === undefined, expected === undefined, "one refuses the message, the other does not")
  if (actual === undefined || expected === undefined) return "refused"
  const slices = [...expected.slices].map(
    ([key, { message: bytes, counts, series }]) =>
      [key, { message: bytes.toString("latin1"), counts, series }] as const,
  )
  assert.deepEqual(contents(actual), {
    received: expected.received,
    rejected: expected.rejected,
    slices: new Map(slices),
  })
  return "split"
}

const runs = Number(process.env["FEDSTACK_TEST_RUNS"] ?? 400)

test("splits any legal message as a naive decoder does", () => {
  fc.assert(
    fc.property(anyMessageV1, (message) => {
      compare(message)
    }),
    { numRuns: runs },
  )
})

test("splits messages that are concatenated, wherever they stand in memory", () => {
  fc.assert(
    fc.property(fc.array(anyMessageV1, { maxLength: 3 }), fc.nat(7), (messages, offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset), ...messages])
      compare(bytes.subarray(offset))
    }),
    { numRuns: Math.ceil(runs / 4) },
  )
})

const mutation = fc.record({
  kind: fc.constantFrom("set", "insert", "remove", "cut"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0c, 0x0f, 0x12)),
})

test("sets aside metadata without a name", () => {
  for (const bytes of [
    [0x1a, 0],
    [0x9a, 0, 0],
    [0x1a, 2, 0x12, 0],
    [0x1a, 3, 0x12, 1, 0xff],
    [0x1a, 3, 0x12, 1, 0x61],
  ])
    assert.equal(compare(Buffer.from(bytes)), "split")
})

test("refuses malformed messages, and those only, with status 400", () => {
  const outcomes = { refused: 0, split: 0 }
  fc.assert(
    fc.property(anyMessageV1, fc.array(mutation, { minLength: 1, maxLength: 3 }), (message, mutations) => {
      let bytes = [...message]
      for (const { kind, at, byte } of mutations) {
        const index = Math.floor(at * bytes.length)
        if (kind === "cut") bytes = bytes.slice(0, index)
        else bytes.splice(index, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [byte]))
      }
      outcomes[compare(Buffer.from(bytes))]++
    }),
    { numRuns: runs },
  )
  assert.ok(outcomes.refused > runs / 20 && outcomes.split > runs / 20, JSON.stringify(outcomes))
})

/** Those that mean something to a reader, as tags, types or lengths. */
const BYTES = [...Array.from({ length: 44 }, (_, byte) => byte), 0x7f, 0x80, 0x81, 0x8a, 0xc0, 0xff]
const SMALL = Buffer.concat([
  timeSeries(label("__name__", "a"), label("b", "c"), label("tenant_id", "red"), sample()),
  timeSeries(
    label("__name__", "d"),
    label("tenant_id", "e"),
    field(2, Buffer.concat([Buffer.from([9]), Buffer.alloc(8)])),
  ),
  timeSeries(sample(), label("__name__", "f"), label("tenant_id", "g")),
])

test("reads a small message as a naive decoder does, whatever one of its bytes is", () => {
  for (let at = 0; at < SMALL.length; at++) {
    for (const byte of BYTES) {
      const message = Buffer.from(SMALL)
      message[at] = byte
      compare(message)
    }
  }
})

const CHANGES = [
  [-1, -1],
  [1, 1],
  [1, 128],
] as const

test("reads a small message as a naive decoder does, whatever lengths agree in being wrong", () => {
  for (let one = 0; one < SMALL.length; one++) {
    for (let other = one + 1; other < Math.min(SMALL.length, one + 20); other++) {
      for (const [change, otherChange] of CHANGES) {
        const message = Buffer.from(SMALL)
        message[one] = (message[one] ?? 0) + change
        message[other] = (message[other] ?? 0) + otherChange
        compare(message)
      }
    }
  }
})

test("reads labels of any few fields as a naive decoder does", () => {
  const name = field(1, Buffer.from("__name__"))
  const value = field(2, Buffer.from("a"))
  const pieces = [
    name,
    value,
    field(2, Buffer.from("")),
    field(1, Buffer.from("tenant_id")),
    field(9, Buffer.from("x")),
    Buffer.from([8, 1]),
  ]
  const some: Buffer[][] = [[], ...pieces.map((piece) => [piece])]
  const labels = some.flatMap((start) =>
    some.flatMap((middle) => some.map((end) => Buffer.concat([start, middle, end].flat()))),
  )
  for (const content of labels) compare(timeSeries(label("__name__", "up"), field(1, content), sample()))
  for (const content of labels)
    compare(timeSeries(sample(), field(1, content), label("b", "c"), label("tenant_id", "red")))
})

test("is not misled by a long label that begins as a short one would", () => {
  // of its length only the first byte is that of a short label, whose name and value would fit as well
  const name = Buffer.alloc(100, "n")
  name.set([0x12, 118], 9)
  const content = Buffer.concat([field(1, name), field(2, Buffer.alloc(1179, "v"))])
  assert.deepEqual([...field(1, content).subarray(0, 4)], [0x0a, 0x84, 0x0a, 0x0a])
  compare(timeSeries(label("__name__", "up"), field(1, content), sample()))
})

test("reads times of any length as a naive decoder does", () => {
  for (let length = 0; length <= 12; length++) {
    for (const last of [0, 1, 2, 0x7f, 0x80]) {
      for (const value of [Buffer.alloc(0), Buffer.concat([Buffer.from([9]), Buffer.alloc(8, 0xff)])]) {
        const time = Buffer.from(Array.from({ length }, (_, at) => (at < length - 1 ? 0x80 : last)))
        compare(timeSeries(label("__name__", "up"), field(2, Buffer.concat([value, Buffer.from([0x10]), time]))))
      }
    }
  }
})

test("splits a message of thousands of series, with slices of a megabyte", () => {
  const tenants = ["red", "blue", "green"]
  const message = Buffer.concat(
    Array.from({ length: 5000 }, (_, index) =>
      timeSeries(
        label("__name__", `metric_${index % 7}`),
        label("long", "x".repeat(index % 300)),
        label("tenant_id", tenants[index % 3] ?? ""),
        sample(),
      ),
    ),
  )
  assert.equal(compare(message), "split")
})

test("takes any bytes without more than a refusal", () => {
  const outcomes = { refused: 0, split: 0 }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      outcomes[compare(Buffer.from(bytes))]++
    }),
    { numRuns: runs },
  )
})
