import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { test } from "node:test"
import { sendRaw } from "../../../../dev/testing/send-raw.ts"
import { until } from "../../../../dev/testing/until.ts"
import { METRICS, QUERY, startTestProxy, startUpstream, TOKEN } from "../../testing.ts"
import { connectTo } from "../testing.ts"
import { OURS, PATH, raw } from "./testing.ts"

const hashes = ["hex", "base64", "base64url"].map((encoding) =>
  createHash("sha256")
    .update(TOKEN)
    .digest(encoding as "hex"),
)

/** What was found out about one request is kept for the next; none of these may find it (exporter-toolkit CVE-2022-46146). */
const POISONS: readonly (readonly [token: string, query: string, status: number])[] = [
  ...hashes.map((hash) => [hash, QUERY, 401] as const),
  [`${TOKEN}m`, QUERY.slice(1), 401],
  [`${TOKEN}?${QUERY}`, "", 401],
  [TOKEN.slice(0, -1), `${TOKEN.at(-1)}${QUERY}`, 401],
  [`${TOKEN}\0${QUERY}`.replace("\0", "/"), QUERY, 401],
  ["wrong", QUERY, 401],
  ["wrong", QUERY.replace("usage", "usag."), 401],
  [TOKEN, "match[]=up", 403],
  [TOKEN, `${QUERY}&match[]=up`, 403],
  [TOKEN, QUERY.slice(0, -1), 400],
]

test("keeps nothing of a request that another could use (exporter-toolkit CVE-2022-46146)", async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startTestProxy(t, upstream.url)
  const send = connectTo(t, url)
  const statusOf = async (token: string, query: string): Promise<number> =>
    (await send(`/federate?${query}`, { authorization: `Bearer ${token}` })).status
  for (const [token, query, status] of POISONS) {
    const around = [await statusOf(token, query), await statusOf(TOKEN, QUERY), await statusOf(token, query)]
    assert.deepEqual(around, [status, 200, status], `${token} ${query}`)
  }
  assert.equal(new Set(upstream.received.map((request) => request.url)).size, 1)
})

test("counts any number of methods and paths as a few (client_golang CVE-2022-21698)", async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  const seriesNow = async (): Promise<number> => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return metrics.split("\n").filter((line) => line.startsWith("fedstack_")).length
  }
  const deviating = async (round: number): Promise<void> => {
    for (const method of ["M-SEARCH", "PURGE", "LOCK", "REPORT", `X${round}`]) {
      await sendRaw(proxy.port, raw(PATH, [...OURS, "Connection: close"], method))
    }
    await sendRaw(proxy.port, raw(`/path-${round}?a${round}=b`))
    await sendRaw(proxy.port, raw(PATH, ["Host: x", `Authorization: Bearer wrong-${round}`, "Connection: close"]))
    await sendRaw(proxy.port, raw(`/federate?match[]=metric_${round}`))
  }
  await deviating(0)
  const before = await seriesNow()
  for (let round = 1; round < 20; round++) await deviating(round)
  assert.equal(await seriesNow(), before)
})

test("writes one line of log for a request, whatever stands in it", async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  const forged = encodeURIComponent('{a="\n{\\"level\\":\\"info\\",\\"msg\\":\\"request\\",\\"status\\":200}\n"}')
  await sendRaw(proxy.port, raw(`/federate?match[]=${forged}`))
  await sendRaw(proxy.port, raw(`/%0a{"msg":"request"}`))
  await proxy.requests(2)
  const lines = proxy
    .log()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.equal(lines.filter(({ msg }) => msg === "request").length, 2)
})

test("gives no client more than some seconds to send its request", { timeout: 60_000 }, async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  const begin = performance.now()
  const statuses = await Promise.all(
    ["GET /fede", raw(PATH, OURS).slice(0, 30), raw(PATH, OURS).slice(0, -2), raw(PATH, OURS).slice(0, -4)].map(
      (bytes) => drip(proxy.port, bytes),
    ),
  )
  assert.deepEqual(statuses, ["408", "408", "408", "408"])
  assert.ok(performance.now() - begin < 20_000)
  assert.deepEqual(upstream.received, [])
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
  const proxy = await startTestProxy(t, upstream.url, { responseBytes: size, upstreamTimeout: 20 })
  for (let i = 0; i < 3; i++) {
    const idler = connect(proxy.port, "127.0.0.1").pause()
    idler.write(raw(PATH, OURS))
    await once(idler, "connect")
    idlers.push(idler)
  }
  await until("a response for those who do not read", () => upstream.received[0])
  const response = await connectTo(t, proxy.url)(PATH, { authorization: `Bearer ${TOKEN}` })
  assert.deepEqual([response.status, response.body.length], [200, size])
  await until(
    "Prometheus to be rid of every response",
    () => (taken === upstream.received.length ? true : undefined),
    5,
  )
})

/** Sends these bytes and then one letter of a header after the other, until it is to stop. */
async function drip(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined)
  socket.write(bytes)
  const more = setInterval(() => socket.write("a"), 500)
  await once(socket, "close")
  clearInterval(more)
  return Buffer.concat(chunks).toString("latin1").slice(9, 12)
}
