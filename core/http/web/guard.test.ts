import assert from "node:assert/strict"
import { test } from "node:test"
import { connect } from "node:tls"
import { hashSync } from "bcryptjs"
import { authority, PLAIN_TLS, startWithWebConfig } from "../testing.ts"

test("requires a user on every path, also on one that is none, and wrong ones learn nothing", async (t) => {
  const { get, port } = await startWithWebConfig(
    t,
    `${PLAIN_TLS}basic_auth_users: {alice: "${hashSync("right", 4)}"}\n`,
  )
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })
  assert.equal((await get(undefined, basic("alice:right"))).body, "hello\n")
  for (const headers of [{}, basic("alice:wrong"), basic("bob:right")]) {
    const { status, body, headers: sent } = await get(undefined, headers)
    assert.deepEqual(
      { status, body, challenge: (sent as Record<string, string>)["www-authenticate"] },
      {
        status: 401,
        body: "A user name and password are needed.\n",
        challenge: 'Basic realm="fedstack", charset="UTF-8"',
      },
    )
  }
  for (const path of ["/none", "//x", "/%zz", "*"]) {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.cert })
    socket.end(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    assert.match((await socket.toArray()).join(""), /^HTTP\/1\.1 401 /)
  }
})

test("sets headers on every response and limits the rate; over plain HTTP without tls_server_config", async (t) => {
  const yaml = `http_server_config:
  headers: {X-Content-Type-Options: nosniff, Content-Security-Policy: "default-src 'none'"}
rate_limit: {interval: 1h, burst: 2}
`
  const { port } = await startWithWebConfig(t, yaml)
  const responses = []
  for (const path of ["/", "/none", "/"]) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    const { status, headers } = response
    responses.push([
      status,
      headers.get("x-content-type-options"),
      headers.get("content-security-policy"),
      headers.get("retry-after"),
      await response.text(),
    ])
  }
  assert.deepEqual(responses, [
    [200, "nosniff", "default-src 'none'", null, "hello\n"],
    [404, "nosniff", "default-src 'none'", null, "Nothing here.\n"],
    [429, null, null, "1", "Too many requests.\n"],
  ])
})
