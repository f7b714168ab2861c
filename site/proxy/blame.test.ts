import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import { suite, type TestContext, test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import {
  BEARER,
  ok,
  type Respond,
  sample,
  scrape,
  startBefore,
  startBoth,
  startUpstream,
  type TestProxy,
} from "./testing.ts"

/** What is said of Prometheus: failures by reason, and whether it is up. */
async function blameOf({ adminUrl }: TestProxy) {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  return {
    failures: metrics.match(/(?<=^fedstack_proxy_upstream_failures_total\{reason=")\w+(?=")/gm) ?? [],
    up: metrics.match(/(?<=^fedstack_proxy_upstream_up\{upstream="[^"]+"\} )\d$/gm) ?? [],
  }
}

for (const status of [400, 413, 414, 422, 429, 431]) {
  test(`a request that Prometheus refuses with ${status} is the client's`, async (t) => {
    const refuse: Respond = (_, response) => response.writeHead(status).end("secret")
    const { upstream, proxy } = await startBoth(t, refuse, {}, sample)
    const { status: sent, body } = await scrape(proxy.url)
    assert.equal(sent, 400)
    assert.match(
      body,
      new RegExp(`^The site's Prometheus does not accept this request \\(its status is ${status}\\): `),
    )
    assert.deepEqual([(await proxy.requests(1))[0]?.reason, upstream.received.length], ["query_rejected", 1])
    assert.deepEqual(await blameOf(proxy), { failures: [], up: ["1"] })
  })
}

test("a server that takes no notice of what is requested works, and is probed once for many requests", async (t) => {
  let probes = 0
  const everything: Respond = (_, response) => {
    probes++
    ok(response).end("a 1\n".repeat(400_000))
  }
  const arrived = new Set<ServerResponse>()
  const together: Respond = (_, response) => {
    arrived.add(response)
    if (arrived.size === 5) for (const one of arrived) one.writeHead(400).end()
  }
  const { proxy } = await startBoth(t, together, {}, everything)
  const requests = Array.from({ length: 5 }, (_, index) =>
    fetch(`${proxy.url}/federate?match[]=project_${index}_usage{job="project_usages"}`, { headers: BEARER }),
  )
  assert.deepEqual(new Set((await Promise.all(requests)).map(({ status }) => status)), new Set([400]))
  assert.equal(probes, 1)
  assert.deepEqual(await blameOf(proxy), { failures: [], up: ["1"] })
})

test("a Prometheus that refuses everything with 400 is to blame itself", async (t) => {
  const refuse: Respond = (_, response) => response.writeHead(400).end()
  const { proxy } = await startBoth(t, refuse, {}, refuse)
  const { status, body } = await scrape(proxy.url)
  assert.deepEqual(
    [status, body],
    [502, "The site's Prometheus sent a response that is not a federation: its status is 400.\n"],
  )
  assert.deepEqual(await blameOf(proxy), { failures: ["upstream_bad_response"], up: ["1"] })
})

const hanging: Respond = () => undefined
const trickling: Respond = (_, response) => {
  const more = setInterval(() => response.write("a 1\n"), 20)
  response.once("close", () => clearInterval(more))
  ok(response).write("a 1\n")
}

// in a tenth of the time a probe has to have its response, on a busy machine too; all of the time they wait
const SHORT = { "x-prometheus-scrape-timeout-seconds": "5" }
suite("a request that is too much", { concurrency: true }, () => {
  for (const [how, respond, ended] of [
    ["takes too long", hanging, 504],
    ["has no end", trickling, "broken"],
  ] as const) {
    for (const [whose, headers, limits] of [
      ["its own time", SHORT, { upstreamTimeout: 60 }],
      ["the time of the policy", {}, { upstreamTimeout: 5 }],
    ] as const) {
      test(`a request that ${how} for ${whose} is the client's`, async (t) => {
        const { proxy } = await startBoth(t, respond, { limits }, sample)
        const status = await scrape(proxy.url, headers).then(
          (response) => response.status,
          () => "broken" as const,
        )
        assert.equal(status, ended)
        assert.equal((await proxy.requests(1))[0]?.reason, "query_timeout")
        assert.deepEqual(await blameOf(proxy), { failures: [], up: ["1"] })
      })
    }
  }
})

test("a client that leaves requests which take long does not turn others away from Prometheus", async (t) => {
  const slow = await startUpstream(t, hanging, sample)
  const other = await startUpstream(t, sample)
  const proxy = await startBefore(t, [slow.url, other.url])
  const leaving = new AbortController()
  const scraping = scrape(proxy.url, {}, "GET", leaving.signal)
  await until("a probe", async () => ((await blameOf(proxy)).up.length > 0 ? true : undefined))
  leaving.abort()
  await assert.rejects(scraping, { name: "AbortError" })
  await proxy.requests(1)
  assert.deepEqual(await blameOf(proxy), { failures: [], up: ["1"] })
  assert.equal(other.received.length, 0)
})

test("a Prometheus that hangs for all is to blame itself", async (t) => {
  const { proxy } = await startBoth(t, hanging, { limits: { upstreamTimeout: 0.5 } }, hanging)
  assert.equal((await scrape(proxy.url)).status, 504)
  assert.equal((await proxy.requests(1))[0]?.reason, "upstream_timeout")
  const blame = await until("its state", async () => {
    const seen = await blameOf(proxy)
    return seen.failures.length > 0 ? seen : undefined
  })
  assert.deepEqual(blame, { failures: ["upstream_timeout"], up: ["0"] })
})

test("a Prometheus that stops in the middle of a response is to blame itself", async (t) => {
  const stopping: Respond = (_, response) => response.writeHead(503).end()
  const { proxy } = await startBoth(t, trickling, { limits: { upstreamTimeout: 0.5 } }, stopping)
  await assert.rejects(scrape(proxy.url))
  assert.equal((await proxy.requests(1))[0]?.reason, "upstream_timeout")
  assert.deepEqual(await blameOf(proxy), { failures: ["upstream_timeout"], up: ["0"] })
})

for (const [what, body, limits] of [
  ["bytes", `# ${"x".repeat(2000)}\n`, { responseBytes: 1000 }],
  ["series", "a 1\n".repeat(20), { series: 10 }],
] as const) {
  test(`a response of more ${what} than a client may have is the client's`, async (t: TestContext) => {
    const { proxy } = await startBoth(t, (_, response) => ok(response).end(body), { limits })
    await scrape(proxy.url).catch(() => undefined)
    await proxy.requests(1)
    assert.deepEqual(await blameOf(proxy), { failures: [], up: ["1"] })
  })
}
