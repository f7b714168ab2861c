import assert from "node:assert/strict"
import { test } from "node:test"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { openDoor, standIn } from "./testing.ts"

const CLIENT = [
  "Host: portal.example.org",
  "Cookie: grafana_session=secret",
  "Authorization: Basic c2VjcmV0OnNlY3JldA==",
  "Proxy-Authorization: Basic c2VjcmV0",
  "X-WEBAUTH-USER: admin",
  "X_WEBAUTH_USER: admin",
  "x-webauth-user: root",
  "X-Forwarded-For: 10.0.0.1",
  "X-Forwarded-Host: evil.example.org",
  "X-Forwarded-Proto: https",
  "X-Real-IP: 10.0.0.1",
  "Forwarded: for=10.0.0.1",
  "Origin: http://portal.example.org",
  "Referer: http://portal.example.org/",
  "X-Prometheus-Scrape-Timeout-Seconds: 1",
  "TE: trailers",
  "Accept: application/json",
  "Accept-Language: de",
  "Accept-Encoding: gzip, br",
  'If-None-Match: "a"',
  "Connection: close, accept, x-webauth-user",
]

for (const [server, path] of [
  ["prometheus", "/prometheus/api/v1/query"],
  ["grafana", "/grafana/api/search"],
] as const) {
  test(`of a client's headers, ${server} gets those of the list`, async (t) => {
    const upstream = await standIn(t)
    const door = await openDoor(t, upstream.url, { server })
    await sendRaw(door.port, `GET ${path} HTTP/1.1\r\n${CLIENT.join("\r\n")}\r\n\r\n`)
    assert.deepEqual(
      upstream.received.map(({ headers }) => headers),
      [
        {
          host: new URL(upstream.url).host,
          connection: "keep-alive",
          accept: "application/json",
          "accept-language": "de",
          "accept-encoding": "gzip",
          "if-none-match": '"a"',
        },
      ],
    )
  })
}

test("Prometheus gets the portal's own credentials", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url, { headers: { authorization: "Bearer portal" } })
  await fetch(`${door.url}/prometheus/api/v1/query`, { headers: { authorization: "Bearer client" } })
  assert.equal(upstream.received[0]?.headers.authorization, "Bearer portal")
})

test("Grafana learns the user from the portal alone, Prometheus never", async (t) => {
  const upstream = await standIn(t)
  const userOf = () => "alice"
  const grafana = await openDoor(t, upstream.url, { server: "grafana", userOf })
  const prometheus = await openDoor(t, upstream.url, { userOf })
  const headers = { "x-webauth-user": "admin" }
  await fetch(`${grafana.url}/grafana/api/search`, { headers })
  await fetch(`${prometheus.url}/prometheus/api/v1/query`, { headers })
  assert.deepEqual(
    upstream.received.map((request) => request.headers["x-webauth-user"]),
    ["alice", undefined],
  )
})

const UPSTREAM = {
  "content-type": "application/json",
  "content-length": "2",
  "cache-control": "no-store",
  "set-cookie": ["session=secret", "b=c"],
  server: "secret/1.0",
  "x-powered-by": "secret",
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "Authorization",
  "access-control-expose-headers": "Date",
  "content-security-policy": "default-src *",
  "content-security-policy-report-only": "default-src *",
  "strict-transport-security": "max-age=0",
  "www-authenticate": "Basic",
  "x-frame-options": "ALLOWALL",
  refresh: "0; url=https://evil.example.org",
  link: "<https://evil.example.org>; rel=preload",
  "clear-site-data": "*",
  "service-worker-allowed": "/",
  "alt-svc": 'h2="evil.example.org:443"',
}

test("of an upstream's headers, a client gets those of the list, and a policy of the portal's", async (t) => {
  const upstream = await standIn(t, (_request, response) => response.writeHead(200, UPSTREAM).end("{}"))
  const door = await openDoor(t, upstream.url)
  const response = await fetch(`${door.url}/prometheus/api/v1/query`, {
    headers: { origin: "http://evil.example.org" },
  })
  const headers = Object.fromEntries(response.headers)
  delete headers["date"]
  assert.deepEqual(headers, {
    "cache-control": "no-store",
    connection: "keep-alive",
    "content-length": "2",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; object-src 'none'; frame-ancestors 'self'",
    "content-type": "application/json",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "keep-alive": "timeout=310",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  })
})

test("a page has the policy of its own HTML, which is requested uncompressed and whole", async (t) => {
  const html = "<html><head><script>a</script></head><body><script>b</script></body></html>"
  const upstream = await standIn(t, (_request, response) =>
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": html.length }).end(html),
  )
  const door = await openDoor(t, upstream.url)
  const response = await fetch(`${door.url}/prometheus/graph`, { headers: { "if-none-match": '"a"' } })
  assert.equal(await response.text(), html)
  assert.match(
    response.headers.get("content-security-policy") ?? "",
    /; script-src 'self' 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7\/gUfE5yuYB3ha\/uSLs='; style-src/,
  )
  const { "accept-encoding": encoding, "if-none-match": match } = upstream.received[0]?.headers ?? {}
  assert.deepEqual([encoding, match], ["identity", undefined])
})
