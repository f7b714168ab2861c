import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { BEARER, QUERY, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

async function start(t: TestContext) {
  const upstream = await startUpstream(t)
  return { upstream, proxy: await startTestProxy(t, upstream.url) }
}

const ASKED = { method: "GET", url: `/federate?${QUERY.replaceAll("'", "%27")}`, body: "" }

test("sends Prometheus nothing but what was understood", async (t) => {
  const { upstream, proxy } = await start(t)
  const response = await fetch(
    `${proxy.url}/federate?match[]={job=%27project_usages%27,%20__name__=~\`project_.*_usage\`}`,
    {
      headers: {
        ...BEARER,
        accept: "text/html, application/vnd.google.protobuf;q=0.5, text/plain;escaping=allow-utf-8;secret=1",
        "accept-encoding": "deflate, gzip",
        cookie: "a=b",
        "user-agent": "curl",
        "x-forwarded-for": "10.0.0.1",
        "x-http-method-override": "DELETE",
        "x-original-url": "/api/v1/query",
        "x-prometheus-scrape-timeout-seconds": "2",
      },
    },
  )
  assert.equal(await response.text(), "project_vcpu_usage 1 1\n")
  assert.deepEqual(upstream.received, [
    {
      ...ASKED,
      rawHeaders: [
        ...["host", new URL(upstream.url).host, "connection", "keep-alive"],
        ...["accept", "application/vnd.google.protobuf;q=0.5,text/plain;escaping=allow-utf-8"],
        ...["accept-encoding", "gzip", "x-prometheus-scrape-timeout-seconds", "5", "user-agent", "fedstack-proxy"],
      ],
    },
  ])
})

test("passes on no header of Prometheus but those of the content", async (t) => {
  const { proxy } = await start(t)
  const raw = await sendRaw(proxy.port, request(`/federate?${QUERY}`))
  const names = raw
    .split("\r\n\r\n")[0]
    ?.split("\r\n")
    .slice(1)
    .map((line) => line.split(":")[0]?.toLowerCase())
  assert.deepEqual(names?.toSorted(), ["connection", "content-type", "date", "transfer-encoding"])
})

test("keeps the path prefix of the upstream", async (t) => {
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, `${upstream.url}/prometheus/`)
  await (await fetch(`${proxy.url}/federate?${QUERY}`, { headers: BEARER })).text()
  assert.deepEqual(
    upstream.received.map(({ url }) => url),
    [`/prometheus${ASKED.url}`],
  )
})

test("names the methods that there are", async (t) => {
  const { upstream, proxy } = await start(t)
  const response = await sendRaw(proxy.port, request(`/federate?${QUERY}`, { method: "POST" }))
  assert.equal(statusOf(response), 405)
  assert.match(response, /^allow: GET, HEAD\r$/m)
  assert.deepEqual(upstream.received, [])
})

test("says how to send a token", async (t) => {
  const { upstream, proxy } = await start(t)
  const response = await sendRaw(proxy.port, request(`/federate?${QUERY}`, { headers: [] }))
  assert.equal(statusOf(response), 401)
  assert.match(response, /^www-authenticate: Bearer\r$/m)
  assert.ok(response.endsWith("\r\n\r\nA valid token is needed, as the header 'Authorization: Bearer TOKEN'.\n"))
  assert.deepEqual(upstream.received, [])
})

for (const path of ["/", "/nowhere", "/federate?match[]=up", "/federate?x"]) {
  test(`shows an unauthenticated client nothing about ${path}`, async (t) => {
    const { proxy } = await start(t)
    assert.equal(statusOf(await sendRaw(proxy.port, request(path, { headers: [], method: "POST" }))), 401)
  })
}

test("writes no token to its log, wherever it came", async (t) => {
  const { proxy } = await start(t)
  const wrong = "wrongful-token-11"
  await sendRaw(proxy.port, request(`/federate?${QUERY}`))
  await sendRaw(proxy.port, request(`/federate?token=${TOKEN}`))
  await sendRaw(proxy.port, request(`/federate?${QUERY}`, { headers: [`Authorization: Bearer ${wrong}`] }))
  await sendRaw(proxy.port, request(`/${TOKEN}`, { headers: [] }))
  const lines = await proxy.requests(4)
  assert.deepEqual(
    lines.map(({ status }) => status),
    [200, 400, 401, 401],
  )
  assert.doesNotMatch(proxy.log(), new RegExp(`${TOKEN}|${wrong}|bearer`, "i"))
})

test("refuses a body, also of a request that was served without one", async (t) => {
  const { upstream, proxy } = await start(t)
  const target = `/federate?${QUERY.replaceAll("'", "%27")}`
  const headers = [`Authorization: Bearer ${TOKEN}`]
  const statuses: number[] = []
  for (const [rest, body] of [
    [[], ""],
    [["Content-Length: 2"], "{}"],
    [["Transfer-Encoding: chunked"], "0\r\n\r\n"],
  ] as const) {
    statuses.push(statusOf(await sendRaw(proxy.port, request(target, { headers: [...headers, ...rest] }) + body)))
  }
  assert.deepEqual(statuses, [200, 400, 400])
  assert.equal(upstream.received.length, 1)
})

function request(
  target: string,
  {
    method = "GET",
    headers = [`Authorization: Bearer ${TOKEN}`],
  }: { method?: string; headers?: readonly string[] } = {},
): string {
  const length = method === "POST" ? ["Content-Length: 0"] : []
  return [`${method} ${target} HTTP/1.1`, "Host: x", ...headers, ...length, "Connection: close", "", ""].join("\r\n")
}

function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1])
}
