import assert from "node:assert/strict"
import { test } from "node:test"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { startServer } from "./testing.ts"

const HOSTS: readonly (readonly [what: string, headers: readonly string[], status: number])[] = [
  ["one host", ["Host: a.example:8000"], 200],
  ["an IPv4 address", ["Host: 127.0.0.1"], 200],
  ["an IPv6 address", ["Host: [::1]:8000"], 200],
  ["an IPv6 address with a zone", ["Host: [fe80::1%25eth0]"], 200],
  ["an empty host", ["Host:"], 200],
  ["a name that is no ASCII", ["Host: b\u00fccher.example"], 400],
  ["no host", [], 400],
  ["two hosts", ["Host: a", "Host: b"], 400],
  ["the same host twice", ["Host: a", "host: a"], 400],
  ["two hosts, an empty one among them", ["Host: a", "HOST: "], 400],
  ["a list of hosts", ["Host: a,b"], 400],
  ["a host with a space", ["Host: a b"], 400],
  ["a host with a path", ["Host: a/b"], 400],
  ["a host with a user", ["Host: b@a"], 400],
  ["a host with a port that is no number", ["Host: a:b"], 400],
]
for (const [what, headers, status] of HOSTS) {
  test(`${what}: ${status}`, async (t) => {
    const { port } = await startServer(t)
    const response = await sendRaw(port, ["GET / HTTP/1.1", ...headers, "Connection: close", "", ""].join("\r\n"))
    assert.equal(/^HTTP\/1\.1 (\d+) /.exec(response)?.[1], String(status))
    if (status === 400) {
      assert.match(response, /\r\nconnection: close\r\n/i)
      assert.match(response, /\r\n\r\nThis is not a valid HTTP request\.\n$/)
    }
  })
}

test("HTTP/1.0 needs no host, and may not have two", async (t) => {
  const { port } = await startServer(t)
  assert.match(await sendRaw(port, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /)
  assert.match(await sendRaw(port, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), /^HTTP\/1\.1 400 /)
})

test("an expectation that nobody knows changes nothing", async (t) => {
  const { port } = await startServer(t)
  const head = ["GET / HTTP/1.1", "Host: a", "Expect: wonders", "Connection: close", "", ""].join("\r\n")
  assert.match(await sendRaw(port, head), /^HTTP\/1\.1 200 [^]*\r\n\r\nhello\n$/)
})

test("what is refused before a route is logged and counted, without what was sent", async (t) => {
  const { port, log } = await startServer(t)
  await sendRaw(port, "secret nonsense\r\n\r\n")
  await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: secret${"a".repeat(20_000)}\r\n\r\n`)
  const lines = log().match(/msg="client refused".*/g)
  assert.deepEqual(lines, [
    'msg="client refused" client=127.0.0.1 reason="it sent what is not a valid HTTP request" failure=malformed listener=127.0.0.1:0',
    'msg="client refused" client=127.0.0.1 reason="the headers of its request are too large" failure=headers_too_large listener=127.0.0.1:0',
  ])
})
