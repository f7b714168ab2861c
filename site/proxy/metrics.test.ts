import assert from "node:assert/strict"
import { rename } from "node:fs/promises"
import type { ServerResponse } from "node:http"
import { test, type TestContext } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { pino } from "pino"
import { request } from "undici"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { createProxyMetrics, type ProxyMetrics } from "./metrics.ts"
import { policyFile } from "./policy/load.ts"
import { BEARER, METRICS, QUERY, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const seriesOf = (text: string): readonly string[] => text.match(/^fedstack_proxy_\w+\{.*client=.*$/gm) ?? []

/** Series of clients, without the histograms' buckets and sums. */
async function shown({ registry }: ProxyMetrics): Promise<readonly string[]> {
  await nextTurn() // as a scrape comes in one of its own
  const lines = seriesOf(await registry.metrics()).filter((line) => !/_(?:bucket|sum|count)\{/.test(line))
  return lines.map((line) => line.replace("fedstack_proxy_", ""))
}

function begin(metrics: ProxyMetrics, name: string): () => void {
  metrics.client(name).enter()
  return () => {
    // in the order of a record's end
    metrics.client(name).leave()
    metrics.client(name).finish({ code: 200, reason: "ok", seconds: 0.1, bytes: 4, series: 1, source: "upstream" })
  }
}

const PORTAL = (count: number, underWay: number): readonly string[] => [
  `requests_in_flight{client="portal"} ${underWay}`,
  `requests_total{client="portal",code="200",reason="ok"} ${count}`,
  `response_bytes_total{client="portal"} ${4 * count}`,
  `response_series_total{client="portal"} ${count}`,
  `responses_total{client="portal",source="upstream"} ${count}`,
]

test("the series of a client that leaves the policy end, and only those", async () => {
  const metrics = createProxyMetrics()
  metrics.keep(new Set(["portal", "other"]))
  for (const name of ["portal", "other", ""]) begin(metrics, name)()
  metrics.keep(new Set(["portal"]))
  const lines = await shown(metrics)
  assert.deepEqual([...new Set(lines.map((line) => /client="(.*?)"/.exec(line)?.[1]))], ["portal", ""])
  metrics.keep(new Set())
  assert.equal(
    (await shown(metrics)).some((line) => line.includes("portal")),
    false,
  )
  assert.doesNotMatch(await metrics.registry.metrics(), /client="(?:portal|other)"/)
})

test("a client that leaves with requests in flight is shown until the last is over", async () => {
  const metrics = createProxyMetrics()
  metrics.keep(new Set(["portal"]))
  const [first, second] = [begin(metrics, "portal"), begin(metrics, "portal")]
  first()
  metrics.keep(new Set())
  assert.deepEqual(await shown(metrics), PORTAL(1, 1))
  second()
  assert.deepEqual(await shown(metrics), [])
})

test("a client that comes back before its last request is over counts on", async () => {
  const metrics = createProxyMetrics()
  metrics.keep(new Set(["portal"]))
  const [first, second] = [begin(metrics, "portal"), begin(metrics, "portal")]
  first()
  metrics.keep(new Set())
  metrics.keep(new Set(["portal"]))
  second()
  assert.deepEqual(await shown(metrics), PORTAL(2, 0))
})

test("a request that is refused after its client left leaves no series", async () => {
  const metrics = createProxyMetrics()
  metrics.keep(new Set(["portal"]))
  const refused = { code: 429, reason: "too_many_requests", seconds: 0, bytes: 0, series: undefined, source: undefined }
  metrics.client("gone").finish(refused)
  assert.deepEqual(await shown(metrics), [])
})

/** A proxy with a policy of one client, whose name can be changed, in front of an upstream that responds by hand. */
async function startNamed(t: TestContext, name: string) {
  const waiting: ServerResponse[] = []
  const upstream = await startUpstream(t, (_, response) => void waiting.push(response))
  const files = temporaryFolder(t)
  const write = (as: string) =>
    files.write(
      "next.yaml",
      `upstreams: ["${upstream.url}"]\nreuse: 0\ntokens: [{name: ${as}, env: TOKEN, match: ['${SHARED}']}]\n`,
    )
  const file = `${files.path}/policy.yaml`
  await rename(await write(name), file)
  const policy = policyFile(file, { env: { TOKEN }, now: () => new Date(), log: pino({ enabled: false }) })
  const proxy = await startTestProxy(t, upstream.url, { policy })
  return {
    proxy,
    rename: async (as: string): Promise<void> => {
      await rename(await write(as), file)
      await proxy.running.reload()
    },
    scrape: async (): Promise<string> => {
      const { body } = await request(`${proxy.url}/federate?${QUERY}`, { headers: BEARER })
      return body.text()
    },
    clients: async (): Promise<readonly string[]> => {
      const lines = seriesOf(await (await fetch(`${proxy.adminUrl}/metrics`)).text())
      return [...new Set(lines.map((line) => /client="(.*?)"/.exec(line)?.[1] ?? ""))]
    },
    /** Responds to the request that came upstream as number `index`. */
    respond: async (index: number): Promise<void> => {
      const response = await until("the request upstream", () => waiting[index])
      response.writeHead(200, { "content-type": METRICS }).end("a 1\n")
    },
    waiting: (count: number) => until(`${count} requests upstream`, () => (waiting.length >= count ? true : undefined)),
  }
}

test("a client that is renamed goes on under its new name; its requests in flight end under the old one", async (t) => {
  const site = await startNamed(t, "before")
  const first = site.scrape()
  await site.waiting(1)
  await site.rename("after")
  const second = site.scrape() // the request upstream is the same, so it waits for the same response
  await until("both names", async () => ((await site.clients()).length === 2 ? true : undefined))
  await site.respond(0)
  assert.deepEqual(await Promise.all([first, second]), ["a 1\n", "a 1\n"])
  const lines = await site.proxy.requests(2)
  const logged = lines.map(({ client, source, status }) => [client, source, status].join(" "))
  assert.deepEqual(new Set(logged), new Set(["before upstream 200", "after joined 200"]))
  assert.deepEqual(await site.clients(), ["after"])
})
