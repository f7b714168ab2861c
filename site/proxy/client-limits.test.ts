import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { BEARER, ok, sample, scrape, startBoth } from "./testing.ts"

test("bounds the requests of a client in flight, and says when to retry", async (t) => {
  let finish = (): void => undefined
  const { upstream, proxy } = await startBoth(t, (_, r) => (finish = () => ok(r).end("a 1\n")), {
    limits: { concurrent: 1 },
  })
  const first = scrape(proxy.url)
  await until("the request upstream", () => upstream.received[0])
  const { status, headers, body } = await scrape(proxy.url)
  assert.deepEqual(
    [status, headers["retry-after"], body],
    [429, "1", "portal may have 1 request in flight at once; retry when one has ended.\n"],
  )
  finish()
  assert.equal((await first).status, 200)
  const next = scrape(proxy.url)
  await until("the next request upstream", () => upstream.received[1])
  finish()
  assert.equal((await next).status, 200)
})

test("bounds a client's rate", async (t) => {
  const { proxy } = await startBoth(t, sample, { limits: { requestsPerSecond: 0.1 }, milliseconds: () => 0 })
  assert.equal((await scrape(proxy.url)).status, 200)
  const { status, headers } = await scrape(proxy.url)
  assert.deepEqual([status, headers["retry-after"]], [429, "10"])
})

test("refuses a client that guesses tokens with 429, and never the rightful client of the same address", async (t) => {
  const { proxy } = await startBoth(t, sample, { milliseconds: () => 0 })
  const guesses = await Promise.all(
    Array.from({ length: 60 }, (_, index) => scrape(proxy.url, { authorization: `Bearer wrong-${index}` })),
  )
  const throttled = guesses.filter(({ status }) => status === 429)
  assert.ok(throttled.length >= 30, `${throttled.length} throttled`)
  assert.ok(guesses.every(({ status }) => status === 401 || status === 429))
  assert.equal(throttled[0]?.headers["retry-after"], "1")
  assert.equal((await scrape(proxy.url)).status, 200)
})

test("refuses what added matchers make longer than Prometheus accepts, as the client's and before it is requested", async (t) => {
  const long = (index: number): string => `x${index}${"y".repeat(3990)}`
  const shared = Array.from({ length: 4 }, (_, index) => parseSelector(`{job="a",x!="${long(index)}"}`))
  const { upstream, proxy } = await startBoth(t, sample, {
    client: { enforce: true, shared: shared.map((selector) => ({ selector, where: "test" })) },
    limits: { requestsPerSecond: Infinity },
  })
  const send = async (count: number) => {
    const query = Array.from({ length: count }, (_, index) => `match[]=up${index}`).join("&")
    const response = await fetch(`${proxy.url}/federate?${query}`, { headers: BEARER })
    return [response.status, await response.text()]
  }
  assert.deepEqual(await send(60), [200, "a 1\n"])
  assert.ok((upstream.received[0]?.url.length ?? 0) < 1_000_100)
  const [status, text] = await send(64)
  assert.equal(status, 414)
  assert.match(
    String(text),
    /^The request to the site's Prometheus would have a query of \d{7} bytes, and it accepts 1000000: /,
  )
  assert.equal(upstream.received.length, 1)
})
