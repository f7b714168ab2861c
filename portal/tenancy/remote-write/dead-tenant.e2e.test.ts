import assert from "node:assert/strict"
import { createServer, type IncomingMessage } from "node:http"
import { buffer } from "node:stream/consumers"
import { type TestContext, test } from "node:test"
import { listen } from "../../../dev/testing/listen.ts"
import { elementsOf } from "../../../dev/testing/remote-write/elements.ts"
import { startLoad } from "../../../dev/testing/remote-write/load.ts"
import { bodyOf, HEADERS, write } from "../../../dev/testing/remote-write/write.ts"
import { until } from "../../../dev/testing/until.ts"
import { startProxy } from "./chain.testing.ts"

const tenants = (count: number): readonly string[] => Array.from({ length: count }, (_, number) => `t-${number}`)
const DEAD = "t-0"

interface Upstream {
  readonly url: string
  /** Requests that came, by tenant. */
  readonly received: ReadonlyMap<string, number>
  /** Responds to all, also to what waits. */
  revive(): void
}

/** Accepts everything, but for one tenant does not respond at all. */
async function startUpstream(t: TestContext): Promise<Upstream> {
  const received = new Map<string, number>()
  const alive = Promise.withResolvers<void>()
  const accept = async (request: IncomingMessage): Promise<Record<string, string>> => {
    const tenant = String(request.headers["x-scope-orgid"])
    const body = await buffer(request)
    received.set(tenant, (received.get(tenant) ?? 0) + 1)
    if (tenant === DEAD) await alive.promise
    if (!String(request.headers["content-type"]).includes("v2")) return {}
    const names = { Samples: "sample", Histograms: "histogram", Exemplars: "exemplar" }
    const all = elementsOf(body, 2)
    return Object.fromEntries(
      Object.entries(names).map(([name, kind]) => [
        `X-Prometheus-Remote-Write-${name}-Written`,
        String(all.filter((element) => element.kind === kind).length),
      ]),
    )
  }
  const server = createServer((request, response) => {
    void accept(request).then((headers) => response.writeHead(204, headers).end())
  })
  const port = await listen(t, server)
  t.after(() => alive.resolve())
  return { url: `http://127.0.0.1:${port}/api/v1/push`, received, revive: () => alive.resolve() }
}

const flags = (url: string): readonly string[] => [
  `--ingester-upstream-url=${url}`,
  "--disable-full-replication",
  "--upstream.timeout=20s",
]

test("a tenant whose upstream does not respond keeps none of 19 others waiting, however much is sent for it", async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startProxy(t, flags(upstream.url))
  const url = `http://127.0.0.1:${proxy.port}/api/v1/write`
  const version = (writer: number) => (writer % 2 === 0 ? 1 : 2)
  const dead = startLoad({ url, writers: 100, tenants: () => [DEAD], version })
  await until("its requests to reach the upstream", () => (upstream.received.get(DEAD) ?? 0) > 0)
  const others = startLoad({ url, writers: 19, tenants: (writer) => [`t-${writer + 1}`], version, requests: 30 })
  await others.stop()
  assert.deepEqual(others.responses, new Map([[204, 19 * 30]]))
  assert.equal(dead.acknowledged(), 0)
  upstream.revive()
  await until("the tenant's own requests to be accepted", () => dead.acknowledged() >= 100)
  await dead.stop()
})

for (const version of [1, 2] as const) {
  test(`a request of remote write ${version} reaches 19 tenants at once, and is resent to none but the 20th`, async (t) => {
    const upstream = await startUpstream(t)
    const proxy = await startProxy(t, [...flags(upstream.url), "--upstream.timeout=1s"])
    const now = Date.now()
    const body = bodyOf(
      tenants(20).map((tenant) => ({ labels: { __name__: "a", tenant_id: tenant }, value: 1, timestamp: now })),
      version,
    )
    const send = () => write(`http://127.0.0.1:${proxy.port}/api/v1/write`, body, HEADERS[version])
    let isOver = false
    const first = send().finally(() => (isOver = true))
    await until("19 tenants' parts to arrive", () => upstream.received.size === 20)
    assert.equal(isOver, false)
    const refused = await first
    assert.equal(refused.status, 502)
    assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
    assert.match(refused.text, /^tenant t-0: .*\n$/)

    upstream.revive()
    const accepted = await send()
    assert.equal(accepted.status, 204)
    // zeros would make Prometheus drop the batch
    assert.equal(accepted.headers.get("x-prometheus-remote-write-samples-written"), version === 2 ? "20" : null)
    assert.deepEqual(upstream.received, new Map(tenants(20).map((tenant) => [tenant, tenant === DEAD ? 2 : 1])))
  })
}

test("a request of 1,000 tenants passes where one upstream request may be under way at once", async (t) => {
  const upstream = await startUpstream(t)
  upstream.revive()
  const proxy = await startProxy(t, [...flags(upstream.url), "--max-parallel-request-per-load=1"])
  const samples = tenants(1000).map((tenant) => ({
    labels: { __name__: "a", tenant_id: tenant },
    value: 1,
    timestamp: Date.now(),
  }))
  const response = await write(`http://127.0.0.1:${proxy.port}/api/v1/write`, bodyOf(samples), HEADERS[1])
  assert.equal(response.status, 204)
  assert.deepEqual(upstream.received, new Map(tenants(1000).map((tenant) => [tenant, 1])))
})
