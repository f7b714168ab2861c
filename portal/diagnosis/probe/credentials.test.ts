import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { text } from "node:stream/consumers"
import { test, type TestContext } from "node:test"
import { listen } from "../../../dev/testing/listen.ts"
import type { ResolveName } from "./names.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const base64 = (value: string): string => Buffer.from(value).toString("base64")
const serve = async (t: TestContext, respond: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(t, createServer(respond))}`
const onlyWith =
  (authorization: string): RequestListener =>
  (incoming, response) =>
    incoming.headers.authorization === authorization
      ? deliver(response)
      : response.writeHead(401).end(`not ${incoming.headers.authorization}`)
const FILES = { password: "s3cret pass" }

for (const [kind, authorization, keys] of [
  ["a password as user u", `Basic ${base64("u:s3cret pass")}`, "basic_auth: {username: u, password_file: password}"],
  ["credentials of type Token", "Token s3cret pass", "authorization: {type: Token, credentials_file: password}"],
] as const) {
  test(`${kind} are sent, and what is refused is shown without them`, async (t) => {
    const accepting = await targetOf(t, `url: "${await serve(t, onlyWith(authorization))}", ${keys}`, FILES)
    assert.equal((await probed(accepting))[3], `✓ token ${kind}`)
    const refusing = await targetOf(t, `url: "${await serve(t, onlyWith("other"))}", ${keys}`, FILES)
    const [word] = authorization.split(" ")
    assert.equal((await probed(refusing))[3], `✕ token 401 to ${kind}: not ${word} …`)
  })
}

test("a token that has expired or is not valid yet is the reason, and the clock beside it", async (t) => {
  const now = new Date("2026-11-30T14:00:00Z")
  const url = await serve(t, (_, response) =>
    response.setHeader("date", "Mon, 30 Nov 2026 14:11:00 GMT").writeHead(401).end(),
  )
  const lines = async (claims: object) => {
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s3cret`
    const [, , , , , , , , finding] = await probed(
      await targetOf(t, `url: "${url}", token: {file: token}`, { token }),
      {
        now: () => now,
      },
    )
    return finding
  }
  const at = (seconds: number): number => now.getTime() / 1000 + seconds
  const refused = "unauthorized: The site does not accept the portal's credentials (401)"
  assert.equal(await lines({ exp: at(-540) }), `${refused}: the token expired 9 minutes ago.`)
  assert.equal(await lines({ nbf: at(120), exp: at(600) }), `${refused}: the token is valid in 2 minutes.`)
  assert.equal(await lines({ exp: at(600) }), `${refused}.`)
  assert.equal(await lines({ exp: "soon" }), `${refused}.`)
})

const oauth2 = (server: string, path = "/token"): string =>
  `oauth2: {client_id: c, client_secret_file: password, token_url: "${server}${path}"}`
const login: RequestListener = (incoming, response) =>
  void text(incoming).then(() => {
    if (incoming.url === "/silent") return
    if (incoming.url === "/refused") response.writeHead(401).end('{"error":"invalid_client"}')
    else response.end('{"access_token":"issued-s3cret"}')
  })

test("a token of an OAuth2 server is requested and sent, and never shown", async (t) => {
  const url = await serve(t, onlyWith("Bearer issued-s3cret"))
  const server = await serve(t, login)
  const lines = await probed(await targetOf(t, `url: "${url}", ${oauth2(server)}`, FILES))
  assert.equal(lines[7], "✓ freshness no timestamps: the moment of the scrape counts")
  const refusing = await serve(t, onlyWith("other"))
  const [, , , token] = await probed(await targetOf(t, `url: "${refusing}", ${oauth2(server)}`, FILES))
  assert.equal(token, "✕ token 401 to a bearer token of http://127.0.0.1:PORT for c: not Bearer …")
})

test("an OAuth2 server that fails or hangs is shown, and the site gets no request", async (t) => {
  let requests = 0
  const url = await serve(t, () => requests++)
  const server = await serve(t, login)
  const lines = async (keys: string, seconds = 30) =>
    (await probed(await targetOf(t, `url: "${url}", ${keys}`, FILES), { seconds })).filter((line) => /^✕|: /.test(line))
  assert.deepEqual(await lines(oauth2(server, "/refused")), [
    '✕ token token server http://127.0.0.1:PORT: it responds with 401 ("invalid_client")',
    'token_endpoint: The token server http://127.0.0.1:PORT/refused gave no token: it responds with 401 ("invalid_client").',
  ])
  assert.deepEqual(await lines(oauth2("http://127.0.0.1:1")), [
    "✕ token token server http://127.0.0.1:1: the connection was refused: connect ECONNREFUSED 127.0.0.1:1",
    "token_endpoint: The token server http://127.0.0.1:1/token gave no token: the connection was refused: connect ECONNREFUSED 127.0.0.1:1.",
  ])
  assert.deepEqual(await lines(oauth2(server, "/silent"), 1), [
    "✕ token token server http://127.0.0.1:PORT: no whole response within 1 s",
    "token_endpoint_hangs: Prometheus waits for an OAuth2 token without a deadline; it no longer scrapes this site and cannot be stopped.",
  ])
  assert.equal(requests, 0)
})

test("the name of an OAuth2 server is not followed to a metadata service", async (t) => {
  const url = await serve(t, (_, response) => deliver(response))
  const resolve: ResolveName = () => Promise.resolve({ kind: "found", addresses: ["169.254.169.254"], from: "dns" })
  const target = await targetOf(t, `url: "${url}", ${oauth2("http://login.example.org")}`, FILES)
  const [, , , token] = await probed(target, { resolve })
  assert.equal(
    token,
    "✕ token token server http://login.example.org: the host name does not exist: no address of login.example.org",
  )
})

test("a token that delivers is noted from the last quarter of its life on", async (t) => {
  const now = new Date("2026-11-30T14:00:00Z")
  const url = await serve(t, (_, response) => deliver(response))
  const noted = async (issued: number, expires: number) => {
    const claims = { iat: now.getTime() / 1000 + issued, exp: now.getTime() / 1000 + expires }
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s3cret`
    const target = await targetOf(t, `url: "${url}", token: {file: token}`, { token })
    return (await probed(target, { now: () => now })).slice(8)
  }
  assert.deepEqual(await noted(-2700, 900), [])
  assert.deepEqual(await noted(-2701, 899), ["token_expires: The token for this site expires in 14 minutes."])
})
