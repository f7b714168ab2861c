import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { test } from "node:test"
import { BEARER, ok, QUERY, REUSE, scrape, startBoth } from "./testing.ts"

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
