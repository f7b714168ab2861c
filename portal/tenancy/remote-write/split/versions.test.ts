import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import protobuf from "protobufjs"
import type { TenantId } from "../../tenants/tenant.ts"
import { splitV1 } from "./split-v1.ts"
import { splitV2 } from "./split-v2.ts"
import type { Slice, Split } from "./slice.ts"
import { label, messageOf as messageOfV1, sample, timeSeries } from "./v1.testing.ts"
import { messageOf, readPlain, routeByLabel, writeMessage } from "./v2.testing.ts"

const { root } = protobuf.parse(`syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3; }
  message Label { string name = 1; string value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }
  message Exemplar { repeated Label labels = 1; }`)
const WriteRequest = root.lookupType("WriteRequest")

type Pair = readonly [name: string, value: string]

function readV1(slice: Slice): readonly string[] {
  const message = WriteRequest.decode(Buffer.from(messageOfV1(slice), "latin1"))
  const { timeseries } = WriteRequest.toObject(message, { longs: String, defaults: true }) as {
    readonly timeseries: readonly {
      readonly labels: readonly { readonly name: string; readonly value: string }[]
      readonly samples: readonly { readonly timestamp: string }[]
    }[]
  }
  return timeseries.map(({ labels, samples }) =>
    shown(
      labels.map(({ name, value }) => [name, value]),
      samples,
    ),
  )
}

const readV2 = (slice: Slice): readonly string[] =>
  readPlain(messageOf(slice)).map(({ labels, samples }) =>
    shown(labels, samples as readonly { readonly timestamp: string }[]),
  )

const shown = (labels: readonly Pair[], samples: readonly { readonly timestamp: string }[]): string =>
  JSON.stringify([labels, samples.map(({ timestamp }) => timestamp)])

const contents = ({ slices, ...rest }: Split, read: (slice: Slice) => readonly string[]) => ({
  ...rest,
  slices: slices.map((slice) => ({
    ...{ tenant: slice.tenant, group: slice.group, count: slice.series, counts: { ...slice.counts } },
    series: read(slice),
  })),
})

const routing = routeByLabel({
  tenantLabels: ["tenant_id", "team"],
  groupLabels: ["cluster"],
  mostTenants: 4,
  route: (values) => {
    if (values.includes("!")) return { refused: 'tenant "!" is not allowed', tenant: "!" }
    const named = values.flatMap((value, strip) => (value === undefined ? [] : [{ tenant: value as TenantId, strip }]))
    const [first, second] = named
    const all = first?.tenant === second?.tenant ? named.slice(0, 1) : named
    return all.length === 0
      ? { destinations: [{ tenant: "0" as TenantId, strip: undefined }], byDefault: true }
      : { destinations: all, byDefault: false }
  },
})

const text = fc.constantFrom("", "a", "b", "c", "!", "grün", "\u001b[1m", "x".repeat(200))
const name = fc.constantFrom("__name__", "tenant_id", "team", "cluster", "job", "__proto__", "", "ü")
const named = fc.tuple(fc.constantFrom("up", "down", ""), fc.array(fc.tuple(name, text), { maxLength: 4 }))
const series = fc.record({
  labels: fc.oneof<fc.WeightedArbitrary<readonly Pair[]>[]>(
    { weight: 4, arbitrary: named.map(([metric, others]): readonly Pair[] => [["__name__", metric], ...others]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(name, text), { maxLength: 3 }) },
  ),
  times: fc.array(fc.integer({ min: 1, max: 2 ** 45 }), { maxLength: 2 }),
})

test("what is sent in both versions arrives the same, and is set aside for the same reasons", () => {
  fc.assert(
    fc.property(fc.array(series, { maxLength: 10 }), (all) => {
      const first = Buffer.concat(
        all.map(({ labels, times }) =>
          timeSeries(...labels.map(([key, value]) => label(key, value)), ...times.map((time) => sample(time))),
        ),
      )
      const second = writeMessage(
        all.map(({ labels, times }) => ({
          labels: labels.flat(),
          samples: times.map((timestamp) => ({ value: 0, timestamp })),
        })),
      )
      assert.deepEqual(contents(splitV2(second, routing), readV2), contents(splitV1(first, routing), readV1))
    }),
    { numRuns: Number(process.env["FEDSTACK_TEST_RUNS"] ?? 400) },
  )
})
