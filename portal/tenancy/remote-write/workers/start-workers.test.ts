import assert from "node:assert/strict"
import { Agent, request as httpRequest } from "node:http"
import { text } from "node:stream/consumers"
import { test, type TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { until } from "../../../../dev/testing/until.ts"
import { CASES } from "../receiver-cases.testing.ts"
import { startUpstream, status, store, valuesOf } from "../testing.ts"
import { startWorkers } from "./start-workers.ts"

const BOTH = CASES.find(({ id }) => id === "outcome-both-taken")
/** What upstreams receive is no measure: what waits at the same time is sent together. */
const IN_FLIGHT = "fedstack_tenancy_proxy_requests_in_flight"
const body = Buffer.from(BOTH?.body ?? "", "base64")

async function setUp(t: TestContext, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "tenancy-proxy", (line) => lines.push(line))
  const upstream = await startUpstream(t)
  const all = ["--workers", "2", "--port", "0", "--disable-full-replication", "--ingester-upstream-url", upstream.url]
  const running = await startWorkers(valuesOf([...all, ...args]), { log, env })
  t.after(() => running.close())
  const port = running.addresses[0]?.port ?? 0
  /** Each on a connection of its own, which the kernel gives to any of the workers. */
  async function send(method = "POST", path = "/api/v1/write", more: Readonly<Record<string, string>> = {}) {
    const headers = method === "POST" ? { ...BOTH?.request.headers, ...more, "content-length": body.length } : {}
    const { promise, resolve, reject } = Promise.withResolvers<{ code: number; text: string; written: unknown }>()
    httpRequest({ port, host: "127.0.0.1", method, path, headers, agent: new Agent() }, (response) => {
      const written = response.headers["x-prometheus-remote-write-samples-written"]
      text(response).then((received) => resolve({ code: response.statusCode ?? 0, text: received, written }), reject)
    })
      .on("error", reject)
      .end(method === "POST" ? body : undefined)
    return promise
  }
  return { upstream, running, send, log: () => lines.join("") }
}

/** Of the metrics that are shown by whichever worker. */
async function valueOf(send: Awaited<ReturnType<typeof setUp>>["send"], name: string): Promise<number> {
  const { text: exposition } = await send("GET", "/metrics")
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(exposition)?.[1] ?? Number.NaN)
}

test("several workers receive on one port, and their metrics are one exposition", async (t) => {
  const { upstream, send } = await setUp(t)
  for (let count = 0; count < 20; count++) assert.equal((await send()).code, 204)
  assert.equal(upstream.received.length, 40)
  assert.equal(await valueOf(send, 'fedstack_tenancy_proxy_requests_total\\{code="204"\\}'), 20)
  assert.equal(await valueOf(send, 'open_metrics_proxy_series\\{tenant_id="red"\\}'), 20)
  assert.equal(await valueOf(send, "fedstack_tenancy_proxy_workers"), 2)
  const { text: exposition } = await send("GET", "/metrics")
  assert.equal(exposition.match(/^process_cpu_seconds_total /gm)?.length, 1)
  assert.equal(exposition.match(/^fedstack_build_info\{/gm)?.length, 1)
})

test("a resend that comes to another worker goes only to who is missing", async (t) => {
  const { upstream, send } = await setUp(t)
  upstream.respond.set("blue", status(503))
  for (let count = 0; count < 12; count++) {
    assert.equal((await send()).code, 503)
    // the fewest of all workers; a real sender waits for a second at least
    await until("all know", async () => (await valueOf(send, "fedstack_tenancy_proxy_resend_memory_entries")) === 1)
  }
  assert.equal(upstream.received.filter(({ tenant }) => tenant === "red").length, 1)
  upstream.respond.clear()
  const { code, written } = await send()
  assert.deepEqual([code, written], [204, "2"])
})

test("a worker that dies is started again, and reported", async (t) => {
  const { running, send, log } = await setUp(t)
  running.threads[1]?.kill()
  await until("it was reported", () => log().includes("a worker ended, starting it again"))
  await until("it receives again", async () => (await valueOf(send, "fedstack_tenancy_proxy_workers")) === 2)
  assert.equal(await valueOf(send, "fedstack_tenancy_proxy_worker_restarts_total"), 1)
  for (let count = 0; count < 10; count++) assert.equal((await send()).code, 204)
})

test("limits of a sender hold in all workers together", async (t) => {
  const folder = temporaryFolder(t)
  const limits = {
    rate: "{ requests_per_second: 0.01 }",
    samples: "{ samples_per_second: 0.01 }",
    at_once: "{ concurrent: 3 }",
  }
  const tokenOf = (name: string): string => `${name}-token-9f31c7d5e2`
  const entries = Object.entries(limits).map(
    ([name, its]) => `  - { name: ${name}, token: { env: ${name} }, limits: ${its} }\n`,
  )
  const file = await folder.write("senders.yaml", `senders:\n${entries.join("")}`)
  const env = Object.fromEntries(Object.keys(limits).map((name) => [name, tokenOf(name)]))
  const { upstream, send } = await setUp(t, ["--senders", file], env)
  const write = async (name: string) =>
    (await send("POST", "/api/v1/write", { authorization: `Bearer ${tokenOf(name)}` })).code
  for (const name of ["rate", "samples"]) {
    const codes = []
    for (let count = 0; count < 12; count++) codes.push(await write(name))
    assert.deepEqual(codes, [204, ...Array.from({ length: 11 }, () => 429)])
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const tenant of ["red", "blue"]) {
    upstream.respond.set(tenant, (response, received) => void promise.then(() => store(response, received)))
  }
  const inFlight = Array.from({ length: 3 }, () => write("at_once"))
  await until("they are in flight", async () => (await valueOf(send, IN_FLIGHT)) === 3)
  for (let count = 0; count < 12; count++) assert.equal(await write("at_once"), 429)
  resolve()
  assert.deepEqual(await Promise.all(inFlight), [204, 204, 204])
})

test("closing ends requests in flight first, in all workers", async (t) => {
  const { upstream, running, send } = await setUp(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  upstream.respond.set("red", (response, received) => void promise.then(() => store(response, received)))
  const inFlight = Array.from({ length: 8 }, () => send())
  await until("they are in flight", async () => (await valueOf(send, IN_FLIGHT)) === 8)
  const closed = running.close()
  resolve()
  for (const each of await Promise.all(inFlight)) assert.equal(each.code, 204)
  await closed
})

test("faults of the settings end the start with all of them, as with one thread", async (t) => {
  await assert.rejects(setUp(t, ["--tenant-label-list", "le", "--upstream.ca-file", "x"]), {
    name: "UsageError",
    message: /le cannot be a tenant label|--upstream.ca-file/,
  })
})
