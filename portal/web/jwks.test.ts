import assert from "node:assert/strict"
import { connect } from "node:net"
import { test, type TestContext } from "node:test"
import { hashSync } from "bcryptjs"
import { startWithWebConfig } from "../../core/http/testing.ts"
import { addJwks, JWKS_PATH } from "./jwks.ts"

const KEY = { kty: "EC", crv: "P-256", x: "x", y: "y", kid: "one", alg: "ES256", use: "sig" }

async function start(t: TestContext, keys: () => readonly (typeof KEY)[] = () => [KEY]) {
  const yaml = `basic_auth_users: {alice: "${hashSync("right", 4)}"}\n`
  const routes = (app: Parameters<typeof addJwks>[0]) => addJwks(app, keys)
  const { port } = await startWithWebConfig(t, yaml, { open: [JWKS_PATH], routes })
  return { port, get: (init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${JWKS_PATH}`, init) }
}

test("the public keys need no user, may be kept for five minutes, and come with a tag", async (t) => {
  const { get } = await start(t)
  const response = await get()
  assert.deepEqual(
    [response.status, response.headers.get("content-type"), response.headers.get("cache-control")],
    [200, "application/json", "public, max-age=300"],
  )
  assert.deepEqual(await response.json(), { keys: [KEY] })
  const tag = response.headers.get("etag") ?? ""
  assert.equal((await get({ headers: { "if-none-match": tag } })).status, 304)
  const head = await get({ method: "HEAD" })
  assert.deepEqual([head.status, await head.text(), head.headers.get("etag")], [200, "", tag])
})

test("another key is another tag, and without keys there is nothing", async (t) => {
  let keys: readonly (typeof KEY)[] = []
  const { get } = await start(t, () => keys)
  const none = await get()
  assert.deepEqual([none.status, await none.text()], [404, "No site is listed with jwt: there are no keys.\n"])
  keys = [KEY]
  const one = (await get()).headers.get("etag")
  keys = [KEY, { ...KEY, kid: "two" }]
  assert.notEqual((await get()).headers.get("etag"), one)
})

test("no other path, spelling or method passes the users by", async (t) => {
  const { port } = await start(t)
  const others = [
    "GET /.well-known/%6awks.json",
    "GET /.well-known/jwks.json?x=1",
    "GET /.well-known/jwks.json/",
    "GET //.well-known/jwks.json",
    "GET /.well-known/../.well-known/jwks.json",
    "GET /.WELL-KNOWN/jwks.json",
    "GET http://a/.well-known/jwks.json",
    "POST /.well-known/jwks.json",
    "OPTIONS /.well-known/jwks.json",
    "GET /",
  ]
  for (const line of others) {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.end(`${line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    assert.match((await socket.toArray()).join(""), /^HTTP\/1\.1 401 /, line)
  }
})
