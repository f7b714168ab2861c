import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { FedstackError } from "#core/errors.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Destination, Routing } from "../routing/routing.ts"
import { anyMessageV2 } from "./message-v2.testing.ts"
import { decode, type Expected, expectedSplit, type OneSeries } from "./oracle-v2.testing.ts"
import type { Slice, Split } from "./slice.ts"
import { splitV2 } from "./split-v2.ts"
import { messageBehind, messageOf, OTHERS, writeMessage } from "./v2.testing.ts"

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

function readSeries(message: Buffer): readonly OneSeries[] {
  const { symbols, series } = decode(message)
  const read = series.map((one) => {
    assert.ok(one.series !== undefined, "a reference is not sound")
    return one.series
  })
  const used = read.flatMap(({ labels, exemplars, metadata }) => [
    ...labels.flat(),
    ...exemplars.flatMap((exemplar) => exemplar.labels.flat()),
    ...[metadata.help, metadata.unit],
  ])
  const own = symbols.filter((symbol) => !symbol.startsWith(OTHERS))
  assert.deepEqual(new Set(own), new Set(["", ...used]), "symbols that no series has")
  return read
}

/** Fields of a series that are no samples and the like may move: each kind keeps its order. */
const keyOf = ({ tenant, group }: Slice): string => {
  const [, own = "", apart = ""] = /^(.*?)( exemplars)?$/.exec(group) ?? []
  return `${tenant}|${own}|${apart}`
}

const contents = (split: Split) => ({
  received: split.received,
  rejectedSeries: split.rejectedSeries,
  rejectedCounts: split.rejectedCounts,
  slices: new Map(
    split.slices.map((slice) => {
      const series = readSeries(messageOf(slice))
      assert.equal(slice.series, series.length)
      return [keyOf(slice), { counts: slice.counts, series }]
    }),
  ),
})

/** Undefined where the message is refused. Anything else that is thrown fails the test. */
function attempt(message: Buffer): Split | undefined {
  try {
    return splitV2(message, routing)
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    assert.equal(error.status, 400)
    return undefined
  }
}

const runs = Number(process.env["FEDSTACK_TEST_RUNS"] ?? 400)

/** Exemplars beside a sample, and with none; a tenant that is refused. */
const NAMED = writeMessage(
  ["red", "blue", "refused|"].map((tenant, index) => ({
    labels: ["__name__", "up", "tenant_id", tenant],
    samples: index === 1 ? [] : [{ value: 1, timestamp: 1 }],
    exemplars: [{ labels: ["trace_id", "x"], value: 1, timestamp: 1 }],
  })),
)

test("splits any legal message as a naive decoder does", () => {
  const seen = { series: 0, joined: 0, alone: 0, rejected: 0 }
  fc.assert(
    fc.property(anyMessageV2, (message) => {
      const expected = expectedSplit(message, routing)
      assert.deepEqual(contents(splitV2(message, routing)), expected)
      note(seen, expected)
    }),
    { numRuns: runs, examples: [[NAMED]] },
  )
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `${what}: ${count}`)
})

/** That the messages have what is to be shown. */
function note(seen: { series: number; joined: number; alone: number; rejected: number }, expected: Expected): void {
  seen.rejected += expected.rejectedSeries
  for (const [key, { series, counts }] of expected.slices) {
    seen.series += series.length
    if (key.endsWith(" exemplars")) seen.alone += counts.exemplars
    else seen.joined += counts.exemplars
  }
}

const behind = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 100, 127) },
  { weight: 1, arbitrary: fc.integer({ min: 16_350, max: 16_384 }) },
)

test("makes one message of slices from several messages, in whatever order and as often as needed", () => {
  fc.assert(
    fc.property(
      fc.array(anyMessageV2, { minLength: 2, maxLength: 4 }),
      fc.infiniteStream(fc.nat()),
      behind,
      (messages, keys, others) => {
        const slices = messages.flatMap((message) => splitV2(message, routing).slices)
        const apart = slices.map((slice) => readSeries(messageOf(slice)))
        const order = slices.map((_, index) => ({ index, key: keys.next().value as number }))
        order.sort((a, b) => a.key - b.key)
        const together = order.flatMap(({ index }) => slices[index] ?? [])
        const expected = order.flatMap(({ index }) => apart[index] ?? [])
        if (slices.length > 0) assert.deepEqual(readSeries(messageBehind(others, ...together)), expected)
        assert.deepEqual(
          slices.map((slice) => readSeries(messageOf(slice))),
          apart,
        )
      },
    ),
    { numRuns: Math.ceil(runs / 4) },
  )
})

const mutation = fc.record({
  kind: fc.constantFrom("set", "insert", "remove", "cut"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0c, 0x0f, 0x12, 0x22, 0x2a)),
})

test("refuses malformed messages with status 400, and makes legal ones of all that it sends", () => {
  const outcomes = { refused: 0, split: 0 }
  fc.assert(
    fc.property(anyMessageV2, fc.array(mutation, { minLength: 1, maxLength: 3 }), (message, mutations) => {
      let bytes = [...message]
      for (const { kind, at, byte } of mutations) {
        const index = Math.floor(at * bytes.length)
        if (kind === "cut") bytes = bytes.slice(0, index)
        else bytes.splice(index, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [byte]))
      }
      const result = attempt(Buffer.from(bytes))
      if (result === undefined) outcomes.refused++
      else {
        outcomes.split++
        contents(result)
      }
    }),
    { numRuns: runs },
  )
  assert.ok(outcomes.refused > runs / 20 && outcomes.split > runs / 20, JSON.stringify(outcomes))
})

test("takes any bytes without more than a refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const result = attempt(Buffer.from(bytes))
      if (result !== undefined) contents(result)
    }),
    { numRuns: runs },
  )
})
