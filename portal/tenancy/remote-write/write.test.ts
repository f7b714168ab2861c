import assert from "node:assert/strict"
import { request as httpRequest } from "node:http"
import { test } from "node:test"
import { compressSync } from "snappy"
import { until } from "../../../dev/testing/until.ts"
import { sendRaw } from "../../../dev/testing/send-raw.ts"
import { decodeBlock } from "../wire/snappy.ts"
import { CASES } from "./receiver-cases.testing.ts"
import { field } from "./split/v1.testing.ts"
import {
  type FakeUpstream,
  type SendOptions,
  startTestProxy,
  startUpstream,
  status,
  store,
  type TestProxy,
} from "./testing.ts"

const BOTH = CASES.find(({ id }) => id === "outcome-both-taken")
const FIRST = CASES.find(({ id }) => id === "outcome-rw1-both-taken")
/** Of version 2, a series each for red and blue. */
const write: SendOptions & { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } = {
  headers: BOTH?.request.headers ?? {},
  body: Buffer.from(BOTH?.body ?? "", "base64"),
}

async function setUp(t: Parameters<typeof startUpstream>[0], args: readonly string[] = [], clock = {}) {
  const upstream = await startUpstream(t)
  const all = ["--disable-full-replication", "--ingester-upstream-url", upstream.url, ...args]
  return { upstream, proxy: await startTestProxy(t, all, clock) }
}

const tenantsOf = ({ received }: FakeUpstream): readonly string[] => received.map(({ tenant }) => tenant).toSorted()

const warnings = (proxy: TestProxy): readonly string[] =>
  [...proxy.log().matchAll(/level=warn component=\S+ (.*)/g)].map(([, fields = ""]) => fields)

/** Sends a write and goes away when the upstreams have it. */
async function sendAndLeave({ port }: TestProxy, when: () => boolean): Promise<void> {
  const headers = { ...write.headers, "content-length": write.body.length }
  const request = httpRequest({ port, host: "127.0.0.1", method: "POST", path: "/api/v1/write", headers })
  request.on("error", () => undefined).end(write.body)
  await until("the upstreams have it", when)
  const { promise, resolve } = Promise.withResolvers<void>()
  request.once("close", resolve).destroy()
  await promise
}

test("what a sender that went away has sent is remembered, and its resend waits for what is in flight", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  upstream.respond.set("blue", (response, received) => void promise.then(() => store(response, received)))
  await sendAndLeave(proxy, () => upstream.received.length === 2)
  await until("the proxy knows", async () =>
    (await proxy.send({ method: "GET", path: "/metrics" })).body.includes("_resend_memory_entries 1"),
  )
  const resent = proxy.send(write)
  resolve()
  const { status: code, headers } = await resent
  assert.deepEqual([code, headers["x-prometheus-remote-write-samples-written"]], [204, "2"])
  assert.deepEqual(tenantsOf(upstream), ["blue", "red"])
})

test("another sender of the same bytes has nothing of what is remembered, nor has the other version", async (t) => {
  const { upstream, proxy } = await setUp(t)
  upstream.respond.set("blue", status(500))
  assert.equal((await proxy.send(write)).status, 503)
  const first = { headers: FIRST?.request.headers ?? {}, body: Buffer.from(FIRST?.body ?? "", "base64") }
  assert.equal((await proxy.send(first)).status, 503)
  assert.deepEqual(tenantsOf(upstream), ["blue", "blue", "red", "red"])
})

test("a limit that does not pass is answered with 400 in the end, and counted", async (t) => {
  const clock = { now: 0 }
  const { upstream, proxy } = await setUp(t, ["--limit.retry-time", "1m"], { milliseconds: () => clock.now })
  upstream.respond.set("blue", status(429, "too many series", { "retry-after": "7" }))
  for (const [now, expected] of [
    [0, 429],
    [59_999, 429],
    [60_000, 400],
  ]) {
    clock.now = now ?? 0
    assert.equal((await proxy.send(write)).status, expected)
  }
  assert.deepEqual(tenantsOf(upstream), ["blue", "blue", "blue", "red"])
  const { body } = await proxy.send({ method: "GET", path: "/metrics" })
  assert.match(body, /^fedstack_tenancy_proxy_limits_given_up_total 1$/m)
})

test("the log and a counter show series that the sender means for a tenant that is not accepted", async (t) => {
  const { upstream, proxy } = await setUp(t, ["--allow-listed-tenants", "red"])
  for (const _ of [1, 2]) assert.equal((await proxy.send(write)).status, 204)
  assert.deepEqual(tenantsOf(upstream), ["0", "0", "red", "red"])
  const { body } = await proxy.send({ method: "GET", path: "/metrics" })
  assert.match(body, /^fedstack_tenancy_proxy_ignored_tenant_series_total 2$/m)
  assert.deepEqual(warnings(proxy), [
    'msg="series name a tenant that is not accepted, which counts as a missing label" series=1 reason="the tenant \\"blue\\" in the label tenant_id is not in the allow list"',
  ])
})

test("the log shows which series were set aside, and why", async (t) => {
  const { upstream, proxy } = await setUp(t, ["--allow-listed-tenants", "red", "--unknown-tenants", "refuse"])
  for (const _ of [1, 2]) assert.equal((await proxy.send(write)).status, 400)
  assert.deepEqual(tenantsOf(upstream), ["red", "red"])
  assert.deepEqual(warnings(proxy), [
    'msg="series were set aside, their sender gets 400" series=1 reason="the tenant \\"blue\\" in the label tenant_id is not in the allow list, such as b{tenant_id=\\"blue\\"}"',
  ])
})

test("requests in flight end before the proxy does, and what comes meanwhile is refused", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  upstream.respond.set("red", (response, received) => void promise.then(() => store(response, received)))
  const inFlight = proxy.send(write)
  await until("it is in flight", () => upstream.received.length === 2)
  const closed = proxy.running.close()
  await assert.rejects(proxy.send(write), { code: "ECONNREFUSED" })
  resolve()
  const { status: code, headers } = await inFlight
  assert.deepEqual([code, headers.connection], [204, "close"])
  await closed
})

test("the memory of a message of version 2 is given back when all slices are delivered", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  upstream.respond.set("red", (response, received) => void promise.then(() => store(response, received)))
  const bytes = 16 * 2 ** 20
  // symbols may stand anywhere
  const symbol = field(4, Buffer.alloc(bytes, "a"))
  const message = Buffer.concat([decodeBlock(write.body), symbol])
  const inFlight = proxy.send({ ...write, body: compressSync(message) })
  await until("it is in flight", () => upstream.received.length === 2)
  const before = process.memoryUsage().arrayBuffers
  resolve()
  assert.equal((await inFlight).status, 204)
  assert.ok(before - process.memoryUsage().arrayBuffers > bytes / 2)
})

test("headers are judged before the body is requested", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const head = (type: string): string =>
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Encoding: snappy\r\nContent-Length: 100\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`
  assert.match(await sendRaw(proxy.port, head("application/json")), /^HTTP\/1.1 415 /)
  assert.match(await sendRaw(proxy.port, head("application/x-protobuf;proto=x")), /^HTTP\/1.1 415 /)
  assert.deepEqual(upstream.received, [])
})

const refused: readonly (readonly [what: string, head: string, body: string, expected: RegExp])[] = [
  [
    "two types",
    "Content-Type: application/x-protobuf\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1\r\n",
    "x",
    /^HTTP\/1.1 400 .*several content-type/s,
  ],
  [
    "two encodings",
    "Content-Encoding: snappy\r\nContent-Encoding: snappy\r\nContent-Length: 1\r\n",
    "x",
    /^HTTP\/1.1 400 .*several content-encoding/s,
  ],
  ["a length and chunks", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n", "xx", /^HTTP\/1.1 400 /],
  ["an unknown transfer coding", "Transfer-Encoding: gzip\r\n", "x", /^HTTP\/1.1 400 /],
  ["a length that is none", "Content-Length: -1\r\n", "x", /^HTTP\/1.1 400 /],
  ["a length beyond the limit", "Content-Length: 2000\r\n", "x", /^HTTP\/1.1 413 .*--content-length-limit/s],
  [
    "chunks beyond the limit",
    "Transfer-Encoding: chunked\r\n",
    `800\r\n${"x".repeat(2048)}\r\n0\r\n\r\n`,
    /^HTTP\/1.1 413 /,
  ],
  ["an expectation", "Expect: a-miracle\r\nContent-Length: 1\r\n", "x", /^HTTP\/1.1 417 /],
  ["an empty body", "Content-Length: 0\r\n", "", /^HTTP\/1.1 400 .*not a snappy block/s],
]
for (const [what, head, body, expected] of refused) {
  test(`refuses ${what}, and goes on`, async (t) => {
    const { upstream, proxy } = await setUp(t, ["--content-length-limit", "1KiB"])
    const response = await sendRaw(proxy.port, `POST / HTTP/1.1\r\nHost: a\r\n${head}Connection: close\r\n\r\n${body}`)
    assert.match(response, expected)
    assert.deepEqual(upstream.received, [])
    assert.equal((await proxy.send(write)).status, 204)
  })
}

for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
  test(`${method} is refused with what is allowed`, async (t) => {
    const { proxy } = await setUp(t)
    const { status: code, headers } = await proxy.send({ ...write, method })
    assert.deepEqual([code, headers.allow], [405, "POST"])
  })
}

test("every path receives, and a GET gets what the original gave, or which method is meant", async (t) => {
  const { upstream, proxy } = await setUp(t)
  for (const path of ["/", "/api/v1/push", "/api/v1/receive?a=b", "/%zz", "/../x", "//x"])
    assert.equal((await proxy.send({ ...write, path })).status, 204, path)
  assert.equal(upstream.received.length, 12)
  assert.deepEqual([...new Set(upstream.received.map(({ path }) => path))], ["/api/v1/push"])
  const get = async (path: string) => {
    const { status: code, body } = await proxy.send({ method: "GET", path })
    return [code, body]
  }
  assert.deepEqual(await get("/anything"), [200, "Up\n"])
  assert.deepEqual(await get("/-/healthy"), [200, "Healthy.\n"])
  assert.deepEqual(await get("/-/ready"), [200, "Ready.\n"])
  assert.equal((await get("/api/v1/push"))[0], 405)
  const headers = { "x-prometheus-remote-write-version": "0.1.0" }
  assert.equal((await proxy.send({ method: "GET", path: "/api/v1/push", headers })).status, 200)
})

test("a header of the sender never reaches an upstream", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const headers = {
    ...write.headers,
    "x-scope-orgid": "evil",
    authorization: "Bearer secret",
    cookie: "a=b",
    "x-other": "1",
  }
  await proxy.send({ ...write, headers })
  for (const { rawHeaders } of upstream.received) {
    const sent = rawHeaders.join("\n")
    for (const text of ["evil", "secret", "a=b", "x-other"]) assert.ok(!sent.includes(text), sent)
  }
})

test("a body that has no room is not read, and one that goes beyond it is refused", async (t) => {
  const { proxy } = await setUp(t, [
    "--limit.decoded-bytes",
    "300KiB",
    "--limit.bytes-in-flight",
    "1MiB",
    "--limit.sender-bytes-in-flight",
    "1MiB",
  ])
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: snappy\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n`
  const slow = Array.from({ length: 3 }, () => {
    const request = httpRequest({
      port: proxy.port,
      host: "127.0.0.1",
      method: "POST",
      headers: { "content-length": 300_000 },
    })
    request.on("error", () => undefined)
    request.write(Buffer.alloc(299_999))
    t.after(() => request.destroy())
    return request
  })
  assert.equal(slow.length, 3)
  await until("they are there", async () => {
    const { body } = await proxy.send({ method: "GET", path: "/metrics" })
    return Number(/^fedstack_tenancy_proxy_bytes_in_flight (\d+)/m.exec(body)?.[1]) > 890_000
  })
  const response = await sendRaw(proxy.port, head)
  assert.match(response, /^HTTP\/1.1 503 .*\r\nretry-after: \d+\r\n.*--limit.bytes-in-flight; resend later/s)
})

test("a connection that breaks in the middle of a body leaves nothing behind", async (t) => {
  const { upstream, proxy } = await setUp(t)
  const request = httpRequest({
    port: proxy.port,
    host: "127.0.0.1",
    method: "POST",
    headers: { "content-length": 1000 },
  })
  request.on("error", () => undefined)
  request.write(Buffer.alloc(500))
  const metric = async (name: string) => {
    const { body } = await proxy.send({ method: "GET", path: "/metrics" })
    return Number(new RegExp(`^fedstack_tenancy_proxy_${name} (\\d+)`, "m").exec(body)?.[1])
  }
  await until("it is there", async () => (await metric("bytes_in_flight")) > 0)
  request.destroy()
  await until("it is gone", async () => (await metric("bytes_in_flight")) === 0)
  assert.equal(await metric('requests_total\\{code="499"\\}'), 1)
  assert.deepEqual(upstream.received, [])
})
