import assert from "node:assert/strict"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { test } from "node:test"
import { OURS, PATH, raw } from "../../../../dev/testing/attacks/request.ts"
import { testSequences } from "../../../../dev/testing/attacks/sequences.ts"
import { connectTo } from "../../../../dev/testing/send-request.ts"
import { until } from "../../../../dev/testing/until.ts"
import { METRICS, startTestProxy, startUpstream, TOKEN } from "../../testing.ts"

testSequences(async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  return { ...proxy, requested: () => upstream.received.map(({ url }) => url) }
})

test("clients that do not read disturb no other, and not Prometheus", async (t) => {
  const line = "# a comment of metrics\n"
  const size = line.length * 1_750_000 // more than the buffers of two connections take
  const idlers: Socket[] = []
  // before the proxy is closed, which would wait for them
  t.after(() => idlers.forEach((idler) => idler.destroy()))
  let taken = 0
  const upstream = await startUpstream(t, (_, response) => {
    response.once("finish", () => taken++)
    response.writeHead(200, { "content-type": METRICS }).end(Buffer.alloc(size, line))
  })
  const proxy = await startTestProxy(t, upstream.url, { responseBytes: size, upstreamTimeout: 300 })
  for (let i = 0; i < 3; i++) {
    const idler = connect(proxy.port, "127.0.0.1").pause()
    idler.write(raw(PATH, OURS))
    await once(idler, "connect")
    idlers.push(idler)
  }
  await until("a response for those who do not read", () => upstream.received[0])
  const response = await connectTo(t, proxy.url)(PATH, { authorization: `Bearer ${TOKEN}` })
  assert.deepEqual([response.status, response.body.length], [200, size])
  await until("Prometheus to be rid of every response", () => (taken === upstream.received.length ? true : undefined))
})
