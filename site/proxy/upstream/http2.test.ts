import assert from "node:assert/strict"
import { once } from "node:events"
import { constants, createSecureServer } from "node:http2"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { setDefaultCACertificates } from "node:tls"
import { request } from "undici"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { BEARER, METRICS, QUERY, startTestProxy } from "../testing.ts"

test("a response that an upstream with HTTP/2 cancels in the middle never looks whole", async (t) => {
  const authority = makeAuthority("authority")
  setDefaultCACertificates([authority.cert])
  const pair = authority.issue({ name: "prometheus", sans: ["IP:127.0.0.1"] })
  let breakOff = (): void => undefined
  const server = createSecureServer({ ...pair, allowHTTP1: true }, (incoming, response) => {
    response.writeHead(200, { "content-type": METRICS })
    response.write("a 1\n")
    // RST_STREAM, not the flag END_STREAM
    breakOff = () =>
      incoming.httpVersion === "2.0" ? response.stream.close(constants.NGHTTP2_CANCEL) : incoming.socket.destroy()
  }).listen(0, "127.0.0.1")
  t.after(() => server.close())
  await once(server, "listening")
  const proxy = await startTestProxy(t, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const { statusCode, body } = await request(`${proxy.url}/federate?${QUERY}`, { headers: BEARER })
  assert.equal(statusCode, 200)
  await assert.rejects(async () => {
    for await (const chunk of body) {
      assert.equal(String(chunk), "a 1\n")
      breakOff()
    }
  })
  const [line] = await proxy.requests(1)
  assert.deepEqual([line?.status, line?.reason], [200, "response_broken"])
})
