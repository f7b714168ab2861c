import assert from "node:assert/strict"
import test from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Routing } from "../routing/routing.ts"
import type { Split } from "./slice.ts"
import { splitV1 } from "./split-v1.ts"
import { label, messageOf, metadata, sample, timeSeries } from "./v1.testing.ts"

/** With `byDefault`, `0` gets what has no label of a tenant. */
function routing(byDefault = false): Routing {
  return {
    tenantLabels: ["tenant_id"],
    groupLabels: [],
    mostTenants: 10,
    route: ([value]) => {
      if (value === undefined && !byDefault) return { refused: "no tenant", tenant: "" }
      return { destinations: [{ tenant: (value ?? "0") as TenantId, strip: 0 }], byDefault: value === undefined }
    },
  }
}

const series = (tenant: string, ...names: string[]): Buffer =>
  Buffer.concat(names.map((name) => timeSeries(label("__name__", name), label("tenant_id", tenant), sample())))

/** The bytes of the metadata that each tenant gets. */
const sent = ({ slices }: Split): Record<string, string> =>
  Object.fromEntries(slices.filter((slice) => slice.metadata > 0).map((slice) => [slice.tenant, messageOf(slice)]))
const bytes = (...records: Buffer[]): string => Buffer.concat(records).toString("latin1")

const [UNKNOWN, COUNTER, GAUGE, HISTOGRAM, GAUGE_HISTOGRAM, SUMMARY, INFO, STATE_SET] = [0, 1, 2, 3, 4, 5, 6, 7]

test("sends metadata to the tenants that have written a series of its family", () => {
  const own = routing()
  splitV1(Buffer.concat([series("red", "up", "a_total"), series("blue", "up")]), own, { now: 0 })
  const [up, a, other] = [metadata("up", GAUGE, "Up."), metadata("a", COUNTER, "A."), metadata("b", COUNTER, "B.")]
  const split = splitV1(Buffer.concat([up, other, a]), own, { now: 1000 })
  assert.deepEqual(sent(split), { red: bytes(up, a), blue: bytes(up) })
  assert.deepEqual(
    split.slices.map(({ tenant, series: count, metadata: records, counts }) => [tenant, count, records, counts]),
    [
      ["red", 0, 2, { samples: 0, histograms: 0, exemplars: 0 }],
      ["blue", 0, 1, { samples: 0, histograms: 0, exemplars: 0 }],
    ],
  )
  assert.equal(split.unclaimedMetadata, 1)
  assert.equal(split.rejectedSeries, 0)
})

test("knows the names that the series of a family have, by its type", () => {
  const names = ["", "_total", "_created", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_info", "_other"]
  const many = { ...routing(), mostTenants: 20 }
  splitV1(Buffer.concat(names.map((suffix) => series(`t${suffix}`, `f${suffix}`))), many, { now: 0 })
  const tenants = (type: number): string[] => Object.keys(sent(splitV1(metadata("f", type, "F."), many, { now: 1 })))
  assert.deepEqual(tenants(UNKNOWN), ["t"])
  assert.deepEqual(tenants(COUNTER), ["t", "t_total", "t_created"])
  assert.deepEqual(tenants(GAUGE), ["t"])
  assert.deepEqual(tenants(HISTOGRAM), ["t", "t_bucket", "t_sum", "t_count", "t_created"])
  assert.deepEqual(tenants(GAUGE_HISTOGRAM), ["t", "t_bucket", "t_gsum", "t_gcount", "t_sum", "t_count"])
  assert.deepEqual(tenants(SUMMARY), ["t", "t_sum", "t_count", "t_created"])
  assert.deepEqual(tenants(INFO), ["t", "t_info"])
  assert.deepEqual(tenants(STATE_SET), ["t"])
  assert.deepEqual(tenants(99), ["t"])
})

test("sends it to the tenants by default as well, and where all series of the sender go", () => {
  const own = routing(true)
  const record = metadata("up", GAUGE, "Up.")
  assert.deepEqual(sent(splitV1(record, own, { now: 0 })), { 0: bytes(record) })
  splitV1(series("red", "up"), own, { now: 0 })
  assert.deepEqual(sent(splitV1(record, own, { now: 1 })), { red: bytes(record), 0: bytes(record) })
  const labelled = splitV1(record, routing(true), { now: 0, labels: { site: "a", tenant_id: "blue" } })
  assert.deepEqual(sent(labelled), { blue: bytes(record) })
})

test("sends metadata that comes with its series", () => {
  const own = routing()
  const record = metadata("up", GAUGE, "Up.")
  const without = timeSeries(label("__name__", "up"), sample())
  const message = Buffer.concat([record, series("red", "up")])
  assert.deepEqual(sent(splitV1(message, own, { now: 0 })), { red: bytes(without, record) })
  // when names are not noted of every request
  const late = splitV1(Buffer.concat([metadata("b", GAUGE, "B."), series("red", "b")]), own, { now: 300_000 })
  assert.deepEqual(
    late.slices.map(({ tenant, series: count, metadata: records }) => [tenant, count, records]),
    [["red", 1, 1]],
  )
})

test("sets aside metadata without a name, and refuses what is malformed", () => {
  const { rejected, rejectedSeries, rejectedCounts, slices } = splitV1(
    Buffer.concat([
      metadata("", GAUGE, "Nothing."),
      metadata(Buffer.from([0xff]), GAUGE, "x"),
      metadata("a", GAUGE, "A."),
    ]),
    routing(true),
    { now: 0 },
  )
  assert.deepEqual(rejected, [
    { tenant: "", reason: "metadata has no metric name", series: 1, example: "metadata" },
    { tenant: "", reason: "the metric name of metadata is not UTF-8", series: 1, example: '"\uFFFD"' },
  ])
  assert.equal(rejectedSeries, 2)
  assert.deepEqual(rejectedCounts, { samples: 0, histograms: 0, exemplars: 0 })
  assert.deepEqual(
    slices.map(({ tenant, metadata: records }) => [tenant, records]),
    [["0", 1]],
  )
  for (const record of ["1a020a00", "1a021001", "1a022001", "1a022801", "1801", "1a0112", "1a09098000480148014801"]) {
    assert.throws(() => splitV1(Buffer.from(record, "hex"), routing(), { now: 0 }), { code: "MALFORMED_MESSAGE" })
  }
})

test("knows nothing of what another routing has led to", () => {
  const [before, after] = [routing(), routing()]
  splitV1(series("red", "up"), before, { now: 0 })
  assert.equal(splitV1(metadata("up", GAUGE, "Up."), before, { now: 1 }).slices.length, 1)
  assert.equal(splitV1(metadata("up", GAUGE, "Up."), after, { now: 1 }).slices.length, 0)
})

test("sets aside metadata for more tenants than a request may be for, and refuses more of it than senders have", () => {
  const own = { ...routing(), mostTenants: 1 }
  splitV1(series("red", "up"), own, { now: 0 })
  splitV1(series("blue", "up"), own, { now: 0 })
  const { slices, rejected } = splitV1(metadata("up", GAUGE, "Up."), own, { now: 1 })
  assert.deepEqual(
    slices.map(({ tenant }) => tenant),
    ["red"],
  )
  assert.deepEqual(rejected, [
    {
      tenant: "blue",
      reason: "a request may be for at most 1 tenants, and this one is for more",
      series: 1,
      example: '"up"',
    },
  ])
  assert.throws(() => splitV1(Buffer.alloc(2 * 50_001, Buffer.from([0x1a, 0])), own, { now: 1 }), {
    message:
      "The body is no valid prometheus.WriteRequest: it has more than 50000 records of metadata at byte 100002. Nothing of it is stored.",
  })
})
