import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createHttpServer, type RequestListener } from "node:http"
import { createServer as createHttpsServer, type ServerOptions } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net"
import { test, type TestContext } from "node:test"
import { gzipSync } from "node:zlib"
import { Agent, type buildConnector, type Dispatcher } from "undici"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { fetchStream, fetchText } from "./client.ts"
import { type ConnectionFailure, describeFailure, type FailureClass, failureClass } from "./connection-failure.ts"

const DAY = 86_400_000
const authority = makeAuthority("authority")
const good = authority.issue({ name: "server", sans: ["DNS:localhost"] })
const LIMIT = 1000

interface Case {
  readonly what: string
  /** What listens; without it, nothing does. */
  readonly server?: () => Server
  readonly scheme?: "http" | "https"
  readonly tls?: buildConnector.BuildOptions
  readonly gzip?: boolean
  readonly reason: ConnectionFailure
  readonly problem: string
}

const plain = (handle: RequestListener) => (): Server => createHttpServer(handle)
const tcp = (handle: (socket: Socket) => void) => (): Server =>
  createTcpServer((socket) => handle(socket.on("error", () => undefined)))
const afterRequest = (handle: (socket: Socket) => void) => tcp((socket) => socket.once("data", () => handle(socket)))
const tls =
  (options: ServerOptions = {}) =>
  (): Server =>
    createHttpsServer({ ...good, ...options }, (_, response) => response.end("a"))
const https = (what: string, server: () => Server, reason: ConnectionFailure, problem: string): Case => ({
  what,
  server,
  scheme: "https",
  reason,
  problem,
})

const CASES: readonly Case[] = [
  {
    what: "nothing that listens",
    reason: "refused",
    problem: "the connection was refused: connect ECONNREFUSED 127.0.0.1:PORT",
  },
  {
    what: "a server that closes the connection",
    server: afterRequest((socket) => socket.destroy()),
    reason: "hung_up",
    problem: "the connection was closed without a response",
  },
  {
    what: "a server that resets the connection",
    server: afterRequest((socket) => socket.resetAndDestroy()),
    reason: "reset",
    problem: "the connection was reset",
  },
  {
    what: "a server that resets the connection in the body",
    server: afterRequest((socket) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", () => socket.resetAndDestroy()),
    ),
    reason: "reset",
    problem: "the connection was reset",
  },
  {
    what: "a server that closes the connection in a body of known length",
    server: afterRequest((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")),
    reason: "cut",
    problem: "the response broke off",
  },
  {
    what: "a server that closes the connection between two chunks",
    server: afterRequest((socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")),
    reason: "cut",
    problem: "the response broke off",
  },
  {
    what: "a server that closes the connection in the headers",
    server: afterRequest((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le")),
    reason: "hung_up",
    problem: "the connection was closed without a response",
  },
  {
    what: "a compressed body that lacks its end",
    server: plain((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("abc").subarray(0, -4)),
    ),
    gzip: true,
    reason: "cut",
    problem: "the response broke off",
  },
  {
    what: "a server that closes the connection in a compressed body",
    server: plain(({ socket }, response) => {
      const headers = { "content-encoding": "gzip", "content-length": "99" }
      response.writeHead(200, headers).write(gzipSync("abc").subarray(0, 15), () => socket.destroy())
    }),
    gzip: true,
    reason: "cut",
    problem: "the response broke off",
  },
  {
    what: "a body that is not compressed as its headers say",
    server: plain((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("abc")),
    gzip: true,
    reason: "broken_encoding",
    problem: "the response is not encoded as its headers say: incorrect header check",
  },
  {
    what: "a body with an encoding that was not requested",
    server: plain((_, response) => response.writeHead(200, { "content-encoding": "br" }).end("abc")),
    gzip: true,
    reason: "broken_encoding",
    problem: "the response is not encoded as its headers say: br was not requested",
  },
  {
    what: "a body that is too large",
    server: plain((_, response) => response.end("x".repeat(LIMIT + 1))),
    reason: "too_many_bytes",
    problem: "the response is larger than 1000 bytes",
  },
  {
    what: "headers that are too large",
    server: afterRequest((socket) => socket.write(`HTTP/1.1 200 OK\r\na: ${"x".repeat(20_000)}\r\n\r\n`)),
    reason: "too_many_bytes",
    problem: "the response is too large",
  },
  {
    what: "a server without a response",
    server: plain(() => undefined),
    reason: "no_answer",
    problem: "no whole response within 0.5 s",
  },
  {
    what: "a server whose body does not end",
    server: plain((_, response) => void response.write("a")),
    reason: "no_answer",
    problem: "no whole response within 0.5 s",
  },
  {
    what: "an SSH server",
    server: tcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")),
    reason: "not_http",
    problem: "the response is not HTTP: Response does not match the HTTP/1.1 protocol (Expected HTTP/, RTSP/ or ICE/)",
  },
  {
    what: "plain HTTP to a TLS port",
    server: tls(),
    reason: "hung_up",
    problem: "the connection was closed without a response",
  },
  https(
    "TLS to a plain HTTP port",
    plain(() => undefined),
    "tls_to_plain",
    "the server does not speak TLS",
  ),
  https(
    "TLS to an SSH server",
    tcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")),
    "tls_to_plain",
    "the server does not speak TLS",
  ),
  https(
    "a server that closes the connection in the TLS handshake",
    afterRequest((socket) => socket.destroy()),
    "hung_up",
    "the connection was closed without a response",
  ),
  https(
    "a server that resets the connection in the TLS handshake",
    afterRequest((socket) => socket.resetAndDestroy()),
    "reset",
    "the connection was reset",
  ),
  https(
    "a TLS handshake without a response",
    tcp(() => undefined),
    "no_answer",
    "no whole response within 0.5 s",
  ),
  https(
    "an expired certificate",
    tls(authority.issue({ name: "server", sans: ["DNS:localhost"], notAfter: new Date(Date.now() - DAY) })),
    "tls_expired",
    "the certificate has expired",
  ),
  https(
    "a certificate that is not valid yet",
    tls(authority.issue({ name: "server", sans: ["DNS:localhost"], notAfter: new Date(Date.now() + 60 * DAY) })),
    "tls_not_yet",
    "the certificate is not valid yet",
  ),
  https(
    "a certificate of an authority that is not known",
    tls(makeAuthority("other").issue({ name: "server", sans: ["DNS:localhost"] })),
    "tls_unknown_ca",
    "the certificate is of an unknown authority: unable to verify the first certificate",
  ),
  https(
    "a self-signed certificate",
    tls(makeAuthority("self")),
    "tls_unknown_ca",
    "the certificate is of an unknown authority: self-signed certificate",
  ),
  https(
    "a certificate for another name",
    tls(authority.issue({ name: "server", sans: ["DNS:other.example.org"] })),
    "tls_wrong_name",
    "the certificate is for another name: Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:other.example.org",
  ),
  https(
    "a Node server that wants a client certificate, which ends the connection without an alert",
    tls({ ca: authority.cert, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" }),
    "hung_up",
    "the connection was closed without a response",
  ),
  {
    ...https(
      "a server that only speaks TLS 1.2",
      tls({ maxVersion: "TLSv1.2" }),
      "tls_version",
      "there is no TLS version in common",
    ),
    tls: { minVersion: "TLSv1.3" },
  },
  https(
    "a server that refuses the handshake",
    afterRequest((socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40]))), // alert, fatal, handshake_failure
    "tls_refused",
    "the TLS handshake failed: ssl/tls alert handshake failure",
  ),
]

for (const { what, server, scheme = "http", tls: options, gzip = false, reason, problem } of CASES) {
  test(`classifies ${what}`, async (t) => {
    const port = server === undefined ? await freePort() : await start(t, server())
    const dispatcher = new Agent({ connect: { ca: authority.cert, ...options }, maxHeaderSize: 16_384, allowH2: false })
    t.after(() => dispatcher.destroy())
    const url = new URL(`${scheme}://${scheme === "https" ? "localhost" : "127.0.0.1"}:${port}/a?SECRET`)
    const expected = problem.replace("PORT", String(port))
    // all else has time, on a busy machine too
    const deadline = problem.includes("within 0.5 s") ? 0.5 : 30
    for (const send of gzip ? [readStream] : [readText, readStream]) {
      await assert.rejects(send(url, dispatcher, deadline), {
        name: "FedstackError",
        code: "REQUEST_FAILED",
        reason,
        problem: expected,
        message: `GET ${url.origin}/a: ${expected}`,
      })
    }
  })
}

async function start(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => sockets.add(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function readText(url: URL, dispatcher: Dispatcher, deadline: number): Promise<unknown> {
  return fetchText(url, { deadline, limit: LIMIT, dispatcher })
}

async function readStream(url: URL, dispatcher: Dispatcher, deadline: number): Promise<unknown> {
  using lifetime = new Deadline(deadline)
  using response = await fetchStream(url, { lifetime, limit: LIMIT, dispatcher, gzip: true })
  return await response.text(LIMIT)
}

/** What cannot be made to happen on loopback. */
const CODES: readonly (readonly [code: string, message: string, reason: ConnectionFailure, problem: string])[] = [
  [
    "ENOTFOUND",
    "getaddrinfo ENOTFOUND a.example.org",
    "name_not_found",
    "the host name does not exist: getaddrinfo ENOTFOUND a.example.org",
  ],
  [
    "EAI_AGAIN",
    "getaddrinfo EAI_AGAIN a.example.org",
    "resolver_failed",
    "the name servers give no usable response for the host name: getaddrinfo EAI_AGAIN a.example.org",
  ],
  [
    "ENETUNREACH",
    "connect ENETUNREACH 192.0.2.1:80",
    "no_route",
    "there is no route to the address: connect ENETUNREACH 192.0.2.1:80",
  ],
  [
    "EHOSTUNREACH",
    "connect EHOSTUNREACH 192.0.2.1:80",
    "no_route",
    "there is no route to the address: connect EHOSTUNREACH 192.0.2.1:80",
  ],
  [
    "EACCES",
    "connect EACCES 192.0.2.1:80",
    "blocked_locally",
    "this machine forbids the connection: connect EACCES 192.0.2.1:80",
  ],
  ["EMFILE", "connect EMFILE", "fds", "this process has too many open files: connect EMFILE"],
  ["ETIMEDOUT", "connect ETIMEDOUT 192.0.2.1:80", "no_answer", "no whole response in time"],
  ["UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error", "no_answer", "no whole response in time"],
  ["EPIPE", "write EPIPE", "reset", "the connection was reset"],
  [
    "INVALID_PURPOSE",
    "unsuitable certificate purpose",
    "tls_usage",
    "the certificate is not one of a server: unsuitable certificate purpose",
  ],
  [
    "CERT_REVOKED",
    "certificate revoked",
    "tls_unknown_ca",
    "the certificate is of an unknown authority: certificate revoked",
  ],
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "00:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/record/rec_layer_s3.c:909:",
    "tls_client_cert",
    "a client certificate is required",
  ],
  ["ENEW", "something new", "unknown", "the connection failed: something new"],
]

for (const [code, message, reason, problem] of CODES) {
  test(`classifies ${code}, also within other errors`, () => {
    const error = Object.assign(new Error(message), { code })
    assert.deepEqual(describeFailure(error), { reason, problem })
    assert.deepEqual(describeFailure(new TypeError("fetch failed", { cause: error })), { reason, problem })
  })
}

test("classifies a name with several addresses, of which none can be reached, by the first", () => {
  const errors = ["::1", "127.0.0.1"].map((address) =>
    Object.assign(new Error(`connect ECONNREFUSED ${address}:1`), { code: "ECONNREFUSED" }),
  )
  assert.deepEqual(describeFailure(new AggregateError(errors, "")), {
    reason: "refused",
    problem: "the connection was refused: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1",
  })
})

const CLASSES: Readonly<Record<ConnectionFailure, FailureClass>> = {
  name_not_found: "dns",
  resolver_failed: "dns",
  no_route: "connection",
  blocked_locally: "connection",
  fds: "connection",
  refused: "refused",
  no_answer: "timeout",
  hung_up: "connection",
  reset: "connection",
  cut: "connection",
  tls_expired: "tls",
  tls_not_yet: "tls",
  tls_unknown_ca: "tls",
  tls_wrong_name: "tls",
  tls_usage: "tls",
  tls_to_plain: "tls",
  tls_version: "tls",
  tls_client_cert: "tls",
  tls_refused: "tls",
  not_http: "unexpected_response",
  too_many_bytes: "too_large",
  broken_encoding: "unexpected_response",
  aborted: "aborted",
  unknown: "connection",
}

test("every reason has one class for metrics", () => {
  const reasons = Object.keys(CLASSES) as ConnectionFailure[]
  assert.deepEqual(Object.fromEntries(reasons.map((reason) => [reason, failureClass(reason)])), CLASSES)
})
