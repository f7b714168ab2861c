import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { BEARER, QUERY, sendRaw, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

async function start(t: TestContext) {
  const upstream = await startUpstream(t)
  return { upstream, proxy: await startTestProxy(t, upstream.url) }
}

const ASKED = { method: "GET", url: `/federate?${QUERY.replaceAll("'", "%27")}`, body: "" }

test("sends Prometheus nothing but what was understood", async (t) => {
  const { upstream, proxy } = await start(t)
  const answer = await fetch(
    `${proxy.url}/federate?match[]={job=%27project_usages%27,%20__name__=~\`project_.*_usage\`}`,
    {
      headers: {
        ...BEARER,
        accept: "application/vnd.google.protobuf;q=0.5, text/plain;escaping=allow-utf-8",
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
  assert.equal(await answer.text(), "project_vcpu_usage 1 1\n")
  assert.deepEqual(upstream.received, [
    {
      ...ASKED,
      rawHeaders: [
        ...["host", new URL(upstream.url).host, "connection", "keep-alive"],
        ...["accept", "application/vnd.google.protobuf;q=0.5, text/plain;escaping=allow-utf-8"],
        ...["accept-encoding", "gzip", "x-prometheus-scrape-timeout-seconds", "1.9", "user-agent", "fedstack-proxy"],
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

const E = encodeURIComponent
const OTHER = E('{__name__=~".+"}')
const QUERIES: readonly (readonly [title: string, query: string, status: number])[] = [
  ["no query", "", 400],
  ["an empty match[]", "?match[]=", 400],
  ["a foreign selector", `?match[]=${OTHER}`, 403],
  ["a foreign selector after the shared one", `?${QUERY}&match[]=${OTHER}`, 403],
  ["a foreign selector before the shared one", `?match[]=${OTHER}&${QUERY}`, 403],
  ["a foreign selector under another spelling of match[]", `?${QUERY}&%6Datch%5b%5D=${OTHER}`, 403],
  ["match without brackets", `?${QUERY}&match=${OTHER}`, 400],
  ["match[0]", `?${QUERY}&match[0]=${OTHER}`, 400],
  ["MATCH[]", `?${QUERY}&MATCH[]=${OTHER}`, 400],
  ["a thousand parameters before a foreign selector", `?${"a=&".repeat(1000)}match[]=${OTHER}`, 400],
  ["a thousand shared selectors before a foreign one", `?${"match[]=up&".repeat(1000)}match[]=${OTHER}`, 400],
  ["an unknown parameter", `?${QUERY}&query=up`, 400],
  ["a token in the query", `?${QUERY}&access_token=${TOKEN}`, 400],
  ["a semicolon as separator", `?${QUERY};match[]=${OTHER}`, 400],
  ["a bad percent-encoding", `?${QUERY}%2`, 400],
  ["an overlong UTF-8 encoding", `?${QUERY}%c0%af`, 400],
  ["a NUL", `?${QUERY}%00`, 400],
  ["a fragment", `?${QUERY}#x`, 400],
  ["an empty parameter", `?${QUERY}&`, 400],
  ["a doubly encoded selector", `?match[]=${E(E(SHARED))}`, 400],
  ["the shared text inside a string", `?match[]=${E(`{a=${JSON.stringify(SHARED)}}`)}`, 403],
  ["the shared text inside a comment", `?match[]=${E(`up#${SHARED}`)}`, 403],
  ["a foreign selector after a comment", `?match[]=${E(`${SHARED}#\n{}`)}`, 400],
  ["an alternative of two selectors", `?match[]=${E(`${SHARED} or up`)}`, 400],
  ["a range", `?match[]=${E(`${SHARED}[5m]`)}`, 400],
  ["a quoted name", `?match[]=${E('{"up"}')}`, 403],
  ["a negative matcher", `?match[]=${E('{job!="project_usages"}')}`, 403],
  ["an empty matcher, which selects everything", `?match[]=${E('{nosuchlabel=""}')}`, 403],
  ["no matchers", `?match[]=${E("{}")}`, 403],
  ["fewer matchers", `?match[]=${E('{__name__=~"project_.*_usage"}')}`, 403],
  ["a selector of 5,000 characters", `?match[]=${E(`{a="${"b".repeat(5000)}"}`)}`, 400],
]
for (const [title, query, status] of QUERIES) {
  test(`refuses ${title} with ${status}`, async (t) => {
    const { upstream, proxy } = await start(t)
    const answer = await sendRaw(proxy.port, request(`/federate${query}`))
    assert.equal(statusOf(answer), status, answer)
    assert.deepEqual(upstream.received, [])
    assert.equal(proxy.log().includes(TOKEN), false)
  })
}

const PATHS = [
  ...["/", "/federate/", "//federate", "/FEDERATE", "/%66ederate", "/x/../federate", "/federate/..", "/federate%2f"],
  ...[
    "/federate%3f",
    "/federate;x",
    "/federate\\",
    "/./federate",
    "/api/v1/query",
    "/api/v1/status/config",
    "/metrics",
  ],
  ...["/-/ready", "/-/reload", "/debug/pprof/", "http://prometheus/federate", "//prometheus/federate"],
  ...["/federate%00", "/federate.", "/federate%20"],
]
for (const path of PATHS) {
  test(`knows no path ${path}`, async (t) => {
    const { upstream, proxy } = await start(t)
    assert.equal(statusOf(await sendRaw(proxy.port, request(`${path}?${QUERY}`))), 404)
    assert.deepEqual(upstream.received, [])
  })
}

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"]) {
  test(`refuses the method ${method}`, async (t) => {
    const { upstream, proxy } = await start(t)
    const answer = await sendRaw(proxy.port, request(`/federate?${QUERY}`, { method }))
    assert.equal(statusOf(answer), 405)
    assert.match(answer, /^allow: GET, HEAD\r$/m)
    assert.deepEqual(upstream.received, [])
  })
}

const TOKENS: readonly (readonly [title: string, headers: readonly string[]])[] = [
  ["no token", []],
  ["an empty header", ["Authorization: "]],
  ["an empty token", ["Authorization: Bearer "]],
  ["no scheme", [`Authorization: ${TOKEN}`]],
  ["another scheme", [`Authorization: Basic ${TOKEN}`]],
  ["two spaces", [`Authorization: Bearer  ${TOKEN}`]],
  ["a tab", [`Authorization: Bearer\t${TOKEN}`]],
  ["a prefix of the token", [`Authorization: Bearer ${TOKEN.slice(0, -1)}`]],
  ["the token and more", [`Authorization: Bearer ${TOKEN}a`]],
  ["the token and what no token holds", [`Authorization: Bearer ${TOKEN}!`]],
  ["the token and another word", [`Authorization: Bearer ${TOKEN} x`]],
  ["the token and padding", [`Authorization: Bearer ${TOKEN}=`]],
  ["another case", [`Authorization: Bearer ${TOKEN.toUpperCase()}`]],
  ["a percent-encoded token", [`Authorization: Bearer ${TOKEN.replace("r", "%72")}`]],
  ["a quoted token", [`Authorization: Bearer "${TOKEN}"`]],
  ["a list of tokens", [`Authorization: Bearer wrong, Bearer ${TOKEN}`]],
  ["__proto__", ["Authorization: Bearer __proto__"]],
  ["constructor", ["Authorization: Bearer constructor"]],
  ["undefined", ["Authorization: Bearer undefined"]],
  ["the right header twice", [`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${TOKEN}`]],
  ["a wrong header after the right one", [`Authorization: Bearer ${TOKEN}`, "authorization: Bearer wrong"]],
  ["a wrong header before the right one", ["Authorization: Bearer wrong", `AUTHORIZATION: Bearer ${TOKEN}`]],
  ["another header", [`X-Authorization: Bearer ${TOKEN}`, `Proxy-Authorization: Bearer ${TOKEN}`]],
  ["a cookie", [`Cookie: authorization=Bearer ${TOKEN}`]],
]
for (const [title, headers] of TOKENS) {
  test(`takes ${title} for no token`, async (t) => {
    const { upstream, proxy } = await start(t)
    const answer = await sendRaw(proxy.port, request(`/federate?${QUERY}`, { headers }))
    assert.equal(statusOf(answer), 401, answer)
    assert.match(answer, /^www-authenticate: Bearer\r$/m)
    assert.ok(answer.endsWith("\r\n\r\nA valid token is needed, as the header 'Authorization: Bearer TOKEN'.\n"))
    assert.deepEqual(upstream.received, [])
  })
}

test("takes the scheme in any case", async (t) => {
  const { proxy } = await start(t)
  const headers = [`Authorization: bEARER ${TOKEN}`]
  assert.equal(statusOf(await sendRaw(proxy.port, request(`/federate?${QUERY}`, { headers }))), 200)
})

for (const path of ["/", "/nowhere", `/federate?match[]=${OTHER}`, "/federate?x"]) {
  test(`tells a stranger nothing about ${path}`, async (t) => {
    const { proxy } = await start(t)
    assert.equal(statusOf(await sendRaw(proxy.port, request(path, { headers: [], method: "POST" }))), 401)
  })
}

const OURS = `Host: x\r\nAuthorization: Bearer ${TOKEN}\r\n`
const HIDDEN = `GET /api/v1/query?query=up HTTP/1.1\r\nHost: x\r\n\r\n`
const RAW: readonly (readonly [title: string, bytes: string, statuses: readonly number[]])[] = [
  ["a target that is a user's name", request(`@prometheus/federate?${QUERY}`), [400]],
  ["an asterisk with a query", request(`*?${QUERY}`), [400]],
  ["a badly encoded path", request("/federate%zz"), [400]],
  [
    "a pipelined request without a token",
    `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}\r\nGET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    [200, 401],
  ],
  [
    "CL.TE",
    `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}Content-Length: ${HIDDEN.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    "TE.CL",
    `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    "a transfer encoding in disguise",
    `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}Transfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    [400],
  ],
  [
    "two content lengths",
    `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde`,
    [400],
  ],
  [
    "a folded header",
    `GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Authorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
    [400],
  ],
  [
    "a space before the colon",
    `GET /federate?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
    [400],
  ],
  [
    "line feeds alone",
    `GET /federate?${QUERY} HTTP/1.1\nHost: x\nAuthorization: Bearer ${TOKEN}\nConnection: close\n\n`,
    [400],
  ],
  ["a space in the target", `GET /federate?${QUERY} /x HTTP/1.1\r\n${OURS}\r\n`, [400]],
  ["bytes beyond ASCII in the query", `GET /federate?${QUERY}\xe9 HTTP/1.1\r\n${OURS}Connection: close\r\n\r\n`, [400]],
  ["a body", `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}Content-Length: 3\r\nConnection: close\r\n\r\nabc`, [400]],
  ["headers of 20,000 bytes", `GET /federate?${QUERY} HTTP/1.1\r\n${OURS}X: ${"a".repeat(20_000)}\r\n\r\n`, [431]],
]
for (const [title, bytes, statuses] of RAW) {
  test(`is not fooled by ${title}`, async (t) => {
    const { upstream, proxy } = await start(t)
    const answer = await sendRaw(proxy.port, bytes)
    assert.deepEqual(
      [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)),
      statuses,
      answer,
    )
    assert.equal(upstream.received.length, statuses.filter((status) => status === 200).length)
  })
}

test("keeps its token check where Connection names the header (oauth2-proxy CVE-2025-64484)", async (t) => {
  const { upstream, proxy } = await start(t)
  const headers = [
    `Authorization: Bearer ${TOKEN}`,
    "Connection: authorization, accept, x-prometheus-scrape-timeout-seconds",
  ]
  const answer = await sendRaw(
    proxy.port,
    `${request(`/federate?${QUERY}`, { headers }).replace("Connection: close\r\n", "")}${request("/", { headers: [] })}`,
  )
  assert.equal(statusOf(answer), 200)
  assert.ok(upstream.received[0]?.rawHeaders.includes("x-prometheus-scrape-timeout-seconds"))
})

test("does not change to HTTP/2 in clear text", async (t) => {
  const { upstream, proxy } = await start(t)
  const headers = [`Authorization: Bearer ${TOKEN}`, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]
  const answer = await sendRaw(proxy.port, request(`/federate?${QUERY}`, { headers }))
  assert.equal(statusOf(answer), 200)
  assert.equal(
    upstream.received[0]?.rawHeaders.some((header) => /upgrade|http2/i.test(header)),
    false,
  )
})

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

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
}
