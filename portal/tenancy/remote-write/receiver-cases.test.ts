import assert from "node:assert/strict"
import { test } from "node:test"
import {
  CASES,
  checkHeaders,
  checkStatus,
  expectedOf,
  type ReceiverCase,
  receivedOf,
  respondAs,
} from "./receiver-cases.testing.ts"
import { type PlainSeries, startTestProxy, startUpstream, status } from "./testing.ts"

/** The one that all cases go by; a default tenant only for what no label gives a tenant. */
const ARGS = ["--strip-tenant-label", "--disable-full-replication", "--upstream.timeout", "1s"]

const isNameless = ({ labels }: PlainSeries): boolean => !("__name__" in labels)

/** Series that have to be set aside. */
const REFUSED: Readonly<Record<string, (series: PlainSeries) => boolean>> = {
  "suite-no-name": isNameless,
  "suite-one-nameless": isNameless,
  "tenant-only-label": isNameless,
}

/** Judged by the upstream. */
const UPSTREAM: Readonly<Record<string, NonNullable<ReceiverCase["upstream_answers"]>>> = {
  "suite-histogram-bad-count": { "0": { status: 400, body: "the count of a histogram is wrong" } },
}

test("there are 95 cases", () => {
  assert.equal(new Set(CASES.map(({ id }) => id)).size, 95)
})

for (const one of CASES) {
  const { id, level, request } = one
  test(`${level} ${id}`, async (t) => {
    const upstream = await startUpstream(t)
    const answers = UPSTREAM[id] ?? one.upstream_answers ?? {}
    for (const [tenant, answer] of Object.entries(answers)) upstream.respond.set(tenant, respondAs(answer))
    const proxy = await startTestProxy(t, [...ARGS, "--ingester-upstream-url", upstream.url])
    const body = one.body === null ? undefined : Buffer.from(one.body, "base64")
    const response = await proxy.send({ ...request, body })
    checkStatus(one, response.status)
    checkHeaders(one, response)
    if (response.status !== 204) assert.match(response.body, /\S/)
    if (response.status < 300) assert.equal(response.status, 204)
    if (isRefusedAsAWhole(one, response.status)) assert.deepEqual(receivedOf(upstream), {})
    else
      assert.deepEqual(
        receivedOf(upstream),
        expectedOf(one, (series) => REFUSED[id]?.(series) !== true),
      )
    for (const { rawHeaders, version } of upstream.received) {
      const tenants = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === "x-scope-orgid")
      assert.equal(tenants.length, 1)
      const type = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === "content-type") + 1]
      const message = ";proto=io.prometheus.write.v2.Request"
      assert.equal(type, `application/x-protobuf${version === 2 ? message : ""}`)
    }
  })
}

/** Nothing of it may be sent. */
const isRefusedAsAWhole = ({ id, expect, body }: ReceiverCase, actual: number): boolean =>
  body === null ||
  expect.upstream === "no call" ||
  (actual >= 400 && /^(?:suite-(?:content|encoding|rw1)|negotiate)-/.test(id))

/** Which tenants a resend goes to while nothing has changed, and how it ends once all upstreams work. */
const RESENDS: Readonly<
  Record<string, readonly [tenants: readonly string[], status: number, written: string | undefined]>
> = {
  "outcome-400-and-429": [["blue"], 400, "1"],
  "outcome-400-and-refused": [["blue"], 400, "1"],
  "outcome-taken-and-timeout": [["blue"], 204, "2"],
  "outcome-rw1-one-500": [["red"], 204, undefined],
  "outcome-401": [["red"], 204, "2"],
}

for (const one of CASES.filter(({ id, expect }) => expect.resend !== undefined || id in RESENDS)) {
  test(`a resend after ${one.id} goes only to who is missing, and ends with what was written in all`, async (t) => {
    const [tenants = [], ended, written] = RESENDS[one.id] ?? []
    const upstream = await startUpstream(t)
    for (const [tenant, answer] of Object.entries(one.upstream_answers ?? {}))
      upstream.respond.set(tenant, respondAs(answer))
    const proxy = await startTestProxy(t, [...ARGS, "--ingester-upstream-url", upstream.url])
    const send = () => proxy.send({ ...one.request, body: Buffer.from(one.body ?? "", "base64") })
    const first = await send()
    const tenantsSince = (count: number) => [...new Set(upstream.received.slice(count).map(({ tenant }) => tenant))]
    const sentFirst = upstream.received.length
    const second = await send()
    assert.equal(second.status, first.status)
    assert.deepEqual(tenantsSince(sentFirst), tenants)
    const sentSecond = upstream.received.length
    upstream.respond.clear()
    const last = await send()
    assert.deepEqual(tenantsSince(sentSecond), tenants)
    assert.deepEqual([last.status, last.headers["x-prometheus-remote-write-samples-written"]], [ended, written])
    // what a tenant refused is in the first response and in the last
    const refused = Object.entries(one.upstream_answers ?? {}).find(([, answer]) => answer.status === 400)?.[0]
    if (refused === undefined) return
    assert.deepEqual(
      [first, second, last].map(({ body }) => body.includes(`tenant ${refused}: `)),
      [true, false, true],
    )
  })
}

test("names the tenant that refused, and its text", async (t) => {
  const upstream = await startUpstream(t)
  upstream.respond.set("blue", status(400, "out of order"))
  const proxy = await startTestProxy(t, [...ARGS, "--ingester-upstream-url", upstream.url])
  const one = CASES.find(({ id }) => id === "outcome-one-400")
  const { status: code, body } = await proxy.send({ ...one?.request, body: Buffer.from(one?.body ?? "", "base64") })
  assert.deepEqual([code, body], [400, "tenant blue: 1 series: status 400 of the upstream: out of order\n"])
})

test("a 405 says what is accepted, and a 415 names the three types", async (t) => {
  const proxy = await startTestProxy(t, ARGS)
  const { body } = await proxy.send({ headers: { "content-type": "text/plain" }, body: Buffer.from("x") })
  for (const type of [
    "application/x-protobuf,",
    "application/x-protobuf;proto=prometheus.WriteRequest",
    "application/x-protobuf;proto=io.prometheus.write.v2.Request",
  ])
    assert.ok(body.includes(type), body)
})
