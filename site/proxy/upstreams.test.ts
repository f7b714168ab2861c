import assert from "node:assert/strict"
import { test } from "node:test"
import { request } from "undici"
import { until } from "../../dev/testing/until.ts"
import { BEARER, QUERY, sample, scrape, startBefore, startBoth, startUpstream } from "./testing.ts"

test("tries the next Prometheus where one is down or not ready, and that one last for a while", async (t) => {
  const starting = await startUpstream(t, (_, response) => response.writeHead(503).end())
  const up = await startUpstream(t, sample)
  const proxy = await startBefore(t, ["http://127.0.0.1:1", starting.url, up.url])
  for (let round = 0; round < 3; round++) assert.equal((await scrape(proxy.url)).status, 200)
  assert.deepEqual([starting.received.length, up.received.length], [1, 3])
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  assert.deepEqual(metrics.match(/^fedstack_proxy_upstream_up\{.*$/gm), [
    'fedstack_proxy_upstream_up{upstream="http://127.0.0.1:1"} 0',
    `fedstack_proxy_upstream_up{upstream="${starting.url}"} 0`,
    `fedstack_proxy_upstream_up{upstream="${up.url}"} 1`,
  ])
})

test("tries the next Prometheus first where one hangs for longer than its scrapers wait", async (t) => {
  const hanging = await startUpstream(t, () => undefined)
  const up = await startUpstream(t, sample)
  const proxy = await startBefore(t, [hanging.url, up.url])
  const statusOf = async () => (await scrape(proxy.url, { "x-prometheus-scrape-timeout-seconds": "1" })).status
  assert.deepEqual([await statusOf(), await statusOf()], [504, 200])
})

test("passes one by that hangs for longer than its scrapers wait, however long a response may take, and counts it", async (t) => {
  let skipped = 0
  const hanging = await startUpstream(t, () => (skipped += 3000))
  const up = await startUpstream(t, sample)
  const proxy = await startBefore(t, [hanging.url, up.url], {
    limits: { upstreamTimeout: 300 },
    milliseconds: () => performance.now() + skipped,
  })
  const statusOf = async () => (await scrape(proxy.url, { "x-prometheus-scrape-timeout-seconds": "0.5" })).status
  assert.deepEqual([await statusOf(), await statusOf()], [504, 200])
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  assert.match(metrics, /^fedstack_proxy_upstream_failures_total\{reason="upstream_timeout"\} 1$/m)
})

test("a scraper that leaves at once does not change the state of Prometheus", async (t) => {
  const slow = await startUpstream(t, () => undefined)
  const proxy = await startBefore(t, [slow.url, "http://127.0.0.1:1"])
  for (const round of [1, 2]) {
    const leaving = new AbortController()
    const scraping = scrape(proxy.url, {}, "GET", leaving.signal)
    await until("the request upstream", () => slow.received[round - 1])
    leaving.abort()
    await assert.rejects(scraping, { name: "AbortError" })
    await proxy.requests(round)
  }
  assert.doesNotMatch(await (await fetch(`${proxy.adminUrl}/metrics`)).text(), /^fedstack_proxy_upstream_up\{/m)
})

test("responds with 502 where all are down, each time after it tried all", async (t) => {
  const proxy = await startBefore(t, ["http://127.0.0.1:1", "http://prometheus.invalid:9090"])
  for (let round = 0; round < 2; round++) {
    const { status, body } = await scrape(proxy.url)
    assert.deepEqual([status, body], [502, "The site's Prometheus cannot be reached.\n"])
  }
})

test("requests the path of the policy upstream", async (t) => {
  const { upstream, proxy } = await startBoth(t, sample, { policy: { path: "/select/0/prometheus/federate" } })
  assert.equal((await scrape(proxy.url)).status, 200)
  assert.match(upstream.received[0]?.url ?? "", /^\/select\/0\/prometheus\/federate\?match/)
})

test("passes protobuf on, byte for byte", async (t) => {
  const type = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
  const body = Buffer.from("0c0a027570180322040a020a0022", "hex").subarray(0, 13)
  const { proxy } = await startBoth(t, (_, r) => r.writeHead(200, { "content-type": type }).end(body))
  const response = await request(`${proxy.url}/federate?${QUERY}`, { headers: BEARER })
  assert.equal(response.headers["content-type"], type)
  assert.deepEqual(Buffer.from(await response.body.arrayBuffer()), body)
})
