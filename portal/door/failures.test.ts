import assert from "node:assert/strict"
import { createServer } from "node:net"
import { test } from "node:test"
import { gzipSync } from "node:zlib"
import { createServer as createSecure } from "node:https"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { listen } from "../../dev/testing/listen.ts"
import { openDoor, standIn } from "./testing.ts"

const QUERY = "/prometheus/api/v1/query"
const unavailable = (error: string): string =>
  `${JSON.stringify({ status: "error", errorType: "unavailable", error })}\n`

async function get(url: string, options: RequestInit = {}): Promise<readonly [number, string]> {
  const response = await fetch(url, { redirect: "manual", ...options })
  return [response.status, await response.text()]
}

test("an upstream that refuses connections is said in the portal's words, once in its log", async (t) => {
  const door = await openDoor(t, "http://127.0.0.1:1")
  const message = "Prometheus cannot be reached: the portal's log has the reason."
  assert.deepEqual(await get(door.url + QUERY), [502, unavailable(message)])
  assert.deepEqual(await get(`${door.url}/prometheus/graph`), [502, `${message}\n`])
  assert.deepEqual(
    door
      .log()
      .match(/level=warn.*/g)
      ?.map((line) => line.replace(/ component=\S+/, "")),
    [
      'level=warn msg="not passed through" upstream=Prometheus reason="the connection was refused: connect ECONNREFUSED 127.0.0.1:1"',
    ],
  )
})

test("an upstream that works again is logged", async (t) => {
  let status = 503
  const upstream = await standIn(t, (_request, response) => response.writeHead(status).end("x"))
  const door = await openDoor(t, upstream.url)
  assert.equal((await get(door.url + QUERY))[0], 503)
  status = 200
  assert.equal((await get(door.url + QUERY))[0], 200)
  assert.deepEqual(door.log().match(/msg="[^"]*pass[^"]*"/g), [
    'msg="not passed through"',
    'msg="passing through works again"',
  ])
})

for (const retryAfter of [undefined, "30"]) {
  test(`a 503 ${retryAfter === undefined ? "" : "with Retry-After "}is requested once, without its text`, async (t) => {
    const upstream = await standIn(t, (_request, response) =>
      response
        .writeHead(503, retryAfter === undefined ? {} : { "retry-after": retryAfter })
        .end("dial tcp 10.0.0.1:9090: secret"),
    )
    const door = await openDoor(t, upstream.url)
    assert.deepEqual(await get(door.url + QUERY), [503, unavailable("Prometheus does not work at present.")])
    assert.equal(upstream.received.length, 1)
  })
}

for (const status of [401, 403]) {
  test(`a ${status} of Prometheus is the portal's fault, not the client's`, async (t) => {
    const upstream = await standIn(t, (_request, response) =>
      response.writeHead(status, { "www-authenticate": "Basic" }).end("secret"),
    )
    const door = await openDoor(t, upstream.url)
    assert.deepEqual(await get(door.url + QUERY), [502, unavailable("Prometheus refuses the portal's request.")])
  })
}

test("what Prometheus finds wrong with a query is passed on", async (t) => {
  const error = '{"status":"error","errorType":"bad_data","error":"parse error"}'
  const upstream = await standIn(t, (_request, response) =>
    response.writeHead(400, { "content-type": "application/json" }).end(error),
  )
  const door = await openDoor(t, upstream.url)
  assert.deepEqual(await get(door.url + QUERY), [400, error])
})

test("other errors lose their text", async (t) => {
  const upstream = await standIn(t, (_request, response) => response.writeHead(404).end("secret"))
  const door = await openDoor(t, upstream.url)
  assert.deepEqual(await get(door.url + QUERY), [404, unavailable("Prometheus refuses this request.")])
})

test("an upstream that sends nothing has a deadline", async (t) => {
  const upstream = await standIn(t, () => undefined)
  const door = await openDoor(t, upstream.url, { deadlines: { headers: 60, idle: 60, whole: 0.05 } })
  assert.deepEqual(await get(door.url + QUERY), [504, unavailable("Prometheus sends no response in time.")])
})

test("a response that does not end breaks the client's connection", async (t) => {
  const upstream = await standIn(t, (_request, response) => response.writeHead(200).write("x"))
  const door = await openDoor(t, upstream.url, { deadlines: { headers: 60, idle: 60, whole: 0.2 } })
  await assert.rejects(get(door.url + QUERY), /terminated/)
})

test("a page that breaks off is none", async (t) => {
  const upstream = await standIn(t, (_request, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": "100" }).write("<html>")
    setImmediate(() => response.destroy())
  })
  const door = await openDoor(t, upstream.url)
  assert.deepEqual(await get(`${door.url}/prometheus/graph`), [502, "Prometheus ends its response too early.\n"])
})

test("a page of more than 1 MiB is not passed on", async (t) => {
  const upstream = await standIn(t, (_request, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("x".repeat(1_048_577)),
  )
  const door = await openDoor(t, upstream.url)
  assert.deepEqual(await get(`${door.url}/prometheus/graph`), [502, "A page of Prometheus is too large.\n"])
})

test("what is not HTTP is not passed on", async (t) => {
  const server = createServer((socket) => void socket.end("SSH-2.0-OpenSSH\r\n"))
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
  })
  t.after(() => server.close())
  const door = await openDoor(t, `http://127.0.0.1:${port}`)
  const [status] = await get(door.url + QUERY)
  assert.equal(status, 502)
})

test("a redirect within the prefix is passed on, one to elsewhere is not", async (t) => {
  let location = ""
  const upstream = await standIn(t, (_request, response) =>
    response.writeHead(302, { location, "content-type": "text/html" }).end("<a href='/prometheus/query'>Found</a>"),
  )
  const door = await openDoor(t, upstream.url, { externalUrl: "https://portal.example.org/prometheus/" })
  const locations: (string | null | number)[] = []
  for (location of [
    "/prometheus/query?a=1",
    "https://portal.example.org/prometheus/x",
    "/api/v1/sites",
    "https://evil.example.org/",
  ]) {
    const response = await fetch(`${door.url}/prometheus/graph`, { redirect: "manual" })
    locations.push(response.status, response.headers.get("location"))
  }
  assert.deepEqual(locations, [302, "/prometheus/query?a=1", 302, "/prometheus/x", 502, null, 502, null])
})

test("the prefix without its slash leads to the one with it", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url)
  const response = await fetch(`${door.url}/prometheus?a=b`, { redirect: "manual" })
  assert.deepEqual([response.status, response.headers.get("location")], [302, "/prometheus/?a=b"])
  assert.deepEqual(upstream.received, [])
})

test("HEAD has the headers of GET and no body", async (t) => {
  const upstream = await standIn(t, (_request, response) =>
    response.writeHead(200, { "content-type": "application/json", "content-length": "2" }).end("{}"),
  )
  const door = await openDoor(t, upstream.url)
  const response = await fetch(door.url + QUERY, { method: "HEAD" })
  assert.deepEqual(
    [response.status, response.headers.get("content-length"), await response.text(), upstream.received[0]?.method],
    [200, "2", "", "GET"],
  )
})

test("a compressed response passes as it is, to clients that know it", async (t) => {
  const upstream = await standIn(t, (request, response) => {
    const zipped = request.headers["accept-encoding"] === "gzip"
    response
      .writeHead(200, { "content-type": "application/json", ...(zipped && { "content-encoding": "gzip" }) })
      .end(zipped ? gzipSync("{}") : "{}")
  })
  const door = await openDoor(t, upstream.url)
  const encodings: (string | null)[] = []
  for (const encoding of ["gzip", "identity", "br", "gzip;q=0"]) {
    const response = await fetch(door.url + QUERY, { headers: { "accept-encoding": encoding } })
    encodings.push(response.headers.get("content-encoding"), await response.text())
  }
  assert.deepEqual(encodings, ["gzip", "{}", null, "{}", null, "{}", null, "{}"])
})

test("live notifications are none: the page polls", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url)
  assert.deepEqual(await get(`${door.url}/prometheus/api/v1/notifications/live`), [204, ""])
  assert.deepEqual(upstream.received, [])
})

test("the certificate of an upstream is verified, though the library would not", async (t) => {
  const pair = makeAuthority("Unknown").issue({ name: "a", sans: ["IP:127.0.0.1"] })
  let requests = 0
  const server = createSecure(pair, (_request, response) => {
    requests++
    response.end("{}")
  })
  const door = await openDoor(t, `https://127.0.0.1:${await listen(t, server)}`)
  assert.deepEqual([(await get(door.url + QUERY))[0], requests], [502, 0])
  assert.match(door.log(), /upstream=Prometheus reason="the certificate is of an unknown authority/)
})
