import assert from "node:assert/strict"
import test from "node:test"
import type { Routing } from "../routing/routing.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { splitV1 } from "./split-v1.ts"
import { field, label, messageOf, number, sample, timeSeries, up } from "./v1.testing.ts"

function routing(most = 10): Routing {
  return {
    tenantLabels: ["tenant_id"],
    groupLabels: [],
    mostTenants: most,
    route: ([value]) => {
      if (value?.includes("|")) return { refused: "no tenant id", tenant: "bad" }
      return { destinations: [{ tenant: (value ?? "0") as TenantId, strip: 0 }], byDefault: value === undefined }
    },
  }
}

test("sends each tenant its series, without the label that named it", () => {
  const message = Buffer.concat([up("red", "a"), up("blue", "b"), up(undefined, "c"), up("red", "d")])
  const { slices, received, rejected } = splitV1(message, routing(), { now: 0 })
  const without = (instance: string): string => up(undefined, instance).toString("latin1")
  assert.deepEqual(
    slices.map((slice) => [slice.tenant, slice.group, slice.series, slice.counts.samples, messageOf(slice)]),
    [
      ["red", "", 2, 2, without("a") + without("d")],
      ["blue", "", 1, 1, without("b")],
      ["0", "", 1, 1, without("c")],
    ],
  )
  assert.deepEqual(received, { samples: 4, histograms: 0, exemplars: 0 })
  assert.deepEqual(rejected, [])
})

test("makes one message of several senders' slices, and the same slice again for another one", () => {
  const [red] = splitV1(up("red", "a"), routing(), { now: 0 }).slices
  const [again] = splitV1(up("red", "b"), routing(), { now: 0 }).slices
  assert.ok(red !== undefined && again !== undefined)
  const [a, b] = ["a", "b"].map((instance) => up(undefined, instance).toString("latin1"))
  assert.equal(messageOf(red, again), `${a}${b}`)
  assert.equal(messageOf(again, red), `${b}${a}`)
  assert.equal(messageOf(red), a)
})

test("needs nothing of a message that is split, and keeps the slices of one from the next", () => {
  const message = up("red", "a")
  const [red] = splitV1(message, routing(), { now: 0 }).slices
  message.fill(0)
  splitV1(Buffer.concat([up("blue", "b"), up("green", "c")]), routing(), { now: 0 })
  assert.ok(red !== undefined)
  assert.equal(messageOf(red), up(undefined, "a").toString("latin1"))
})

test("sends what is valid behind series of many tenants that are set aside", () => {
  const unsound = Array.from({ length: 500 }, (_, index) => timeSeries(label("tenant_id", `t${index}`), sample()))
  const message = Buffer.concat([...unsound, up("red", "a")])
  const { slices, rejectedSeries } = splitV1(message, routing(1000), { now: 0 })
  assert.deepEqual(
    [slices.map((slice) => messageOf(slice)), rejectedSeries],
    [[up(undefined, "a").toString("latin1")], 500],
  )
})

test("sends the series of a message that was refused to nobody", () => {
  const malformed = Buffer.concat([up("red", "a"), up("red", "b"), Buffer.from([0x0a, 200])])
  assert.throws(() => splitV1(malformed, routing(), { now: 0 }), { code: "MALFORMED_MESSAGE" })
  const [red] = splitV1(up("red", "c"), routing(), { now: 0 }).slices
  assert.ok(red !== undefined)
  assert.equal(messageOf(red), up(undefined, "c").toString("latin1"))
})

test("sends slices whole that are long enough to be compressed in several parts", () => {
  const instances = Array.from({ length: 9000 }, (_, index) => `10.0.0.${index}`)
  const long = "l".repeat(300_000)
  const tenants = ["red", "red", "blue"]
  const message = Buffer.concat([
    ...instances.map((instance, index) => up(tenants[index % 3], instance)),
    ...[up("red", long), up("blue", "last"), up("red", "last")],
  ])
  const { slices } = splitV1(message, routing(), { now: 0 })
  const whole = (tenant: string, ...more: string[]): string =>
    [...instances.filter((_, index) => tenants[index % 3] === tenant), ...more]
      .map((instance) => up(undefined, instance).toString("latin1"))
      .join("")
  const [red, blue] = slices
  assert.ok(slices.length === 2 && red !== undefined && blue !== undefined)
  assert.ok(messageOf(red) === whole("red", long, "last"))
  assert.ok(messageOf(blue) === whole("blue", "last"))
  assert.ok(messageOf(red, blue) === messageOf(red) + messageOf(blue))
  assert.equal(red.bytes, messageOf(red).length)
})

test("sets aside what is wrong with its reason, and sends the rest", () => {
  const name = label("__name__", "up")
  const red = label("tenant_id", "red")
  const message = Buffer.concat([
    timeSeries(sample()),
    timeSeries(red, sample()),
    timeSeries(label("__name__", ""), red, sample()),
    timeSeries(name, red),
    timeSeries(name, label("job", "a"), label("job", "b"), red, sample()),
    timeSeries(label("job", "a"), name, red, label("job", "a"), sample()),
    timeSeries(name, red, label("tenant_id", "blue"), sample()),
    timeSeries(name, label("", "a"), red, sample()),
    timeSeries(label("", "a"), name, label("tenant_id", "blue"), sample()),
    timeSeries(name, label("job", Buffer.from([0xff])), red, sample()),
    timeSeries(name, label(Buffer.from([0xc0, 0xaf]), "a"), label("tenant_id", "blue"), sample()),
    timeSeries(name, label("tenant_id", Buffer.from([0xed, 0xa0, 0x80])), sample()),
    timeSeries(name, label("tenant_id", "a|b"), sample(), sample()),
    timeSeries(name, ...Array.from({ length: 1001 }, (_, index) => label(`l${index + 1000}`, "")), sample()),
    up("green", "a"),
  ])
  const { slices, rejected, rejectedSeries, rejectedKinds, rejectedCounts, received } = splitV1(message, routing(), {
    now: 0,
  })
  assert.deepEqual(rejected, [
    { tenant: "0", reason: "it has no labels", series: 1, example: "{}" },
    { tenant: "red", reason: "it has no metric name", series: 2, example: '{tenant_id="red"}' },
    {
      tenant: "red",
      reason: "it has no samples, histograms or exemplars",
      series: 1,
      example: 'up{tenant_id="red"}',
    },
    {
      tenant: "red",
      reason: "it has the label job twice",
      series: 2,
      example: 'up{job="a", job="b", tenant_id="red"}',
    },
    {
      tenant: "",
      reason: "it has the label tenant_id twice",
      series: 1,
      example: 'up{tenant_id="red", tenant_id="blue"}',
    },
    { tenant: "blue", reason: "a label has no name", series: 1, example: 'up{""="a", tenant_id="blue"}' },
    {
      tenant: "blue",
      reason: 'its label "��" is not UTF-8',
      series: 1,
      example: 'up{"��"="a", tenant_id="blue"}',
    },
    { tenant: "", reason: "its label tenant_id is not UTF-8", series: 1, example: 'up{tenant_id="���"}' },
    { tenant: "bad", reason: "no tenant id", series: 1, example: 'up{tenant_id="a|b"}' },
    {
      tenant: "0",
      reason: "it has more than 1000 labels",
      series: 1,
      example: 'up{l1000="", l1001="", l1002="", l1003="", …}',
    },
  ])
  assert.equal(rejectedSeries, 14)
  assert.deepEqual(rejectedKinds, { malformed: 13, tenant: 1, too_many_tenants: 0, not_shared: 0 })
  assert.deepEqual(rejectedCounts, { samples: 14, histograms: 0, exemplars: 0 })
  assert.deepEqual(received, { samples: 15, histograms: 0, exemplars: 0 })
  assert.deepEqual(
    slices.map(({ tenant, series }) => [tenant, series]),
    [["green", 1]],
  )
})

test("sets aside series of more tenants than a request may be for", () => {
  const message = Buffer.concat(["a", "b", "c", "b", "c"].map((tenant) => up(tenant, "i")))
  const { slices, rejected, rejectedKinds } = splitV1(message, routing(2), { now: 0 })
  assert.deepEqual(rejectedKinds, { malformed: 0, tenant: 0, too_many_tenants: 2, not_shared: 0 })
  assert.deepEqual(
    slices.map(({ tenant, series }) => [tenant, series]),
    [
      ["a", 1],
      ["b", 2],
    ],
  )
  assert.deepEqual(rejected, [
    {
      tenant: "c",
      reason: "a request may be for at most 2 tenants, and this one is for more",
      series: 2,
      example: 'up{instance="i", tenant_id="c"}',
    },
  ])
})

test("tells values apart that are too long to be remembered", () => {
  const names = ["a", "b"].map((letter) => letter.repeat(500))
  const message = Buffer.concat([...names, ...names].map((tenant) => up(tenant, "i")))
  assert.deepEqual(
    splitV1(message, routing(), { now: 0 }).slices.map(({ tenant, series }) => [tenant[0], series]),
    [
      ["a", 2],
      ["b", 2],
    ],
  )
})

test("finds a name that stands twice, however the names between are sorted and however many there are", () => {
  const reasons = (...names: string[]): string[] => {
    const labels = names.map((each) => label(each, "1"))
    return splitV1(timeSeries(label("__name__", "up"), ...labels, sample()), routing(), { now: 0 }).rejected.map(
      ({ reason }) => reason,
    )
  }
  assert.deepEqual(reasons("a", "a\u0001", "a"), ["it has the label a twice"])
  assert.deepEqual(reasons("b", "a", "c"), [])
  assert.deepEqual(reasons("b", "a", "c", "b"), ["it has the label b twice"])
  const many = Array.from({ length: 60 }, (_, index) => `l${(index * 7) % 60}`)
  assert.deepEqual(reasons(...many), [])
  assert.deepEqual(reasons(...many, "l3"), ["it has the label l3 twice"])
  const tooMany = Array.from({ length: 1500 }, (_, index) => `l${(index * 7) % 1500}`)
  assert.deepEqual(reasons(...tooMany), ["it has more than 1000 labels"])
})

test("leaves out what is of no series, as upstreams have fields of their own there", () => {
  const flag = Buffer.concat([number(8 * 1000), number(1)])
  const message = Buffer.concat([flag, field(2, Buffer.from("x")), up(undefined, "a"), flag])
  const [slice] = splitV1(message, routing(), { now: 0 }).slices
  assert.ok(slice !== undefined)
  assert.equal(messageOf(slice), up(undefined, "a").toString("latin1"))
})

test("refuses a message that is malformed, of the other version, or has more series than any sender's", () => {
  const refuses = (message: Buffer, code: string): void =>
    assert.throws(() => splitV1(message, routing(), { now: 0 }), { code, status: 400 })
  refuses(Buffer.concat([up("red", "a"), Buffer.from([0x0a, 0xff, 0x01])]), "MALFORMED_MESSAGE")
  // as a message it would be sound
  const parts = Buffer.concat([number(8 * 2 + 1), Buffer.from("1001100110011001", "hex")])
  refuses(timeSeries(label("__name__", "up"), parts), "MALFORMED_MESSAGE")
  refuses(Buffer.concat([field(4, Buffer.from("")), field(5, Buffer.alloc(0))]), "OTHER_VERSION")
  assert.throws(() => splitV1(Buffer.alloc(2 ** 19 + 2).fill(Buffer.from([0x0a, 0])), routing(), { now: 0 }), {
    message:
      "The body is no valid prometheus.WriteRequest: it has more than 262144 series at byte 524290. Nothing of it is stored.",
  })
})

test("decides by the routing that is given, also when it was replaced", () => {
  const message = up("red", "a")
  const other: Routing = { ...routing(), route: () => ({ refused: "not any more", tenant: "red" }) }
  assert.equal(splitV1(message, routing(), { now: 0 }).slices.length, 1)
  assert.equal(splitV1(message, other, { now: 0 }).slices.length, 0)
  assert.equal(splitV1(message, routing(), { now: 0 }).slices.length, 1)
})
