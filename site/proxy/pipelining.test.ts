import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { test } from "node:test"
import { received } from "../../dev/testing/send-raw.ts"
import { until } from "../../dev/testing/until.ts"
import { QUERY, scrape, startBoth, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const TINY = "GET / HTTP/1.1\r\nHost:a\r\n\r\n"
const target = `/federate?${QUERY.replaceAll("'", "%27")}`
const RIGHTFUL = `GET ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`

/** What comes back for requests upon requests, sent until the server ends the connection. */
async function flood(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  const block = Buffer.from(request.repeat(1000))
  const send = (): void => {
    while (socket.writable && socket.write(block));
  }
  socket.on("connect", send).on("drain", send)
  return received(socket)
}

test("a client without a token that does not wait for its responses is cut off, on every port", async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  for (const port of [proxy.port, Number(new URL(proxy.adminUrl).port)]) await flood(port, TINY)
  assert.equal((await scrape(proxy.url)).status, 200)
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  const counted = [...metrics.matchAll(/^fedstack_web_client_failures_total\{.*reason="pipelined"\} (\d+)$/gm)]
  assert.deepEqual(
    counted.map(([, count]) => count),
    ["2"], // both listeners were given the same address
  )
  assert.equal(upstream.received.length, 1)
})

test("a client with a token and without limits is cut off too, and one of its requests at most is under way", async (t) => {
  const { upstream, proxy } = await startBoth(t, () => undefined)
  await flood(proxy.port, RIGHTFUL)
  assert.ok(upstream.received.length <= 1)
})

test("closes at once while both ports are flooded", async (t) => {
  const { proxy } = await startBoth(t, () => undefined)
  const sockets = [proxy.port, Number(new URL(proxy.adminUrl).port)].map((port) => connect(port, "127.0.0.1"))
  await Promise.all(sockets.map((socket) => once(socket, "connect")))
  for (const socket of sockets) socket.write(TINY.repeat(100_000))
  await Promise.all([proxy.running.close(), ...sockets.map(received)])
})

test("requests that wait for their turn when their client leaves count no more", async (t) => {
  const { upstream, proxy } = await startBoth(t, () => undefined)
  const socket = connect(proxy.port, "127.0.0.1")
  socket.write(RIGHTFUL.repeat(5))
  await until("the first at the upstream", () => upstream.received[0])
  socket.destroy()
  await until("none in flight", async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return metrics.includes('fedstack_proxy_requests_in_flight{client="portal"} 0\n') ? true : undefined
  })
})
