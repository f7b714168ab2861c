import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { test } from "node:test"
import { BEARER, ok, QUERY, REUSE, sample, scrape, SHARED, startBoth } from "./testing.ts"

test("counts the series of responses that were sent whole, and of no others", async (t) => {
  const size = 9_000_000 // more than the buffers of a connection take
  const { proxy } = await startBoth(t, (_, response) => ok(response).end(`${"x".repeat(size - 1)}\n`), REUSE)
  assert.equal((await scrape(proxy.url)).body.length, size)
  const slow = connect(proxy.port, "127.0.0.1").pause()
  t.after(() => slow.destroy())
  slow.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`)
  await once(slow, "readable")
  slow.destroy()
  const [whole, cut] = await proxy.requests(2)
  assert.deepEqual([whole?.series, whole?.reason, whole?.source], [1, "ok", "upstream"])
  assert.deepEqual([cut?.series, cut?.reason, cut?.source], [undefined, "client_gone", "reused"])
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  assert.match(metrics, /^fedstack_proxy_response_series_total\{client="portal"\} 1$/m)
})

for (const [title, requested, shown] of [
  [
    "many selectors",
    Array.from({ length: 300 }, (_, index) => `project_${1000 + index}_usage{job="project_usages"}`),
    /^.{7000,8000} and \d+ more$/,
  ],
  ["a long selector", [`{__name__=~"project_(${"a|".repeat(5000)}b)_usage",job="project_usages"}`], /^.{8000}…$/],
] as const) {
  test(`logs no more of ${title} than a line takes`, async (t) => {
    const { proxy } = await startBoth(t, sample)
    const query = new URLSearchParams(requested.map((selector): [string, string] => ["match[]", selector])).toString()
    const response = await fetch(`${proxy.url}/federate?${query}`, { headers: BEARER })
    assert.deepEqual([response.status, await response.text()], [200, "a 1\n"])
    const [line] = await proxy.requests(1)
    assert.match(String(line?.match), shown)
  })
}

for (const [title, query, detail] of [
  ["a query that cannot be read", "x=secret", "The query cannot be read: only match[]=SELECTOR is understood."],
  [
    "a selector that cannot be read",
    "match[]=up%5B5m%5D",
    'up[5m] is not a PromQL vector selector: "[" at character 3, where one selector such as up{job="node"} is expected.',
  ],
] as const) {
  test(`logs what is wrong with ${title}`, async (t) => {
    const { proxy } = await startBoth(t, sample)
    assert.equal((await fetch(`${proxy.url}/federate?${query}`, { headers: BEARER })).status, 400)
    const [line] = await proxy.requests(1)
    assert.equal(line?.detail, detail)
  })
}

test("logs no more of what is wrong with a long selector than a line takes", async (t) => {
  const { proxy } = await startBoth(t, sample)
  const long = `${"a".repeat(10_000)}%5B5m%5D`
  assert.equal((await fetch(`${proxy.url}/federate?match[]=${long}`, { headers: BEARER })).status, 400)
  const [line] = await proxy.requests(1)
  assert.ok(String(line?.detail).length <= 500)
})

test("shows the selector that is refused before the others", async (t) => {
  const { proxy } = await startBoth(t, sample)
  const query = `match[]=${encodeURIComponent(SHARED)}&match[]=zzz`
  assert.equal((await fetch(`${proxy.url}/federate?${query}`, { headers: BEARER })).status, 403)
  const [line] = await proxy.requests(1)
  assert.equal(line?.match, `{__name__="zzz"} ${SHARED}`)
})
