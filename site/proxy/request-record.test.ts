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

test("shows the selector that is refused before the others", async (t) => {
  const { proxy } = await startBoth(t, sample)
  const query = `match[]=${encodeURIComponent(SHARED)}&match[]=zzz`
  assert.equal((await fetch(`${proxy.url}/federate?${query}`, { headers: BEARER })).status, 403)
  const [line] = await proxy.requests(1)
  assert.equal(line?.match, `{__name__="zzz"} ${SHARED}`)
})
