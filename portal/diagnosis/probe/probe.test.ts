import assert from "node:assert/strict"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import { test } from "node:test"
import { listen } from "../../../dev/testing/listen.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const REACHED = ["✓ name 127.0.0.1", "✓ connection 127.0.0.1:PORT in N ms", "· tls the url is http://"]
const NOT_REACHED = ["– response", "– exposition", "– freshness"]

const withToken: RequestListener = (incoming, response) =>
  incoming.headers.authorization === "Bearer s3cret-token"
    ? deliver(response)
    : response.writeHead(401, { date: new Date().toUTCString() }).end(`not ${incoming.headers.authorization}\nmore`)

test("a site that delivers passes every stage", async (t) => {
  const port = await listen(t, createServer(withToken))
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`)
  assert.deepEqual(await probed(target), [
    ...REACHED,
    "✓ token a bearer token",
    "✓ selectors up",
    "✓ response 200, 5 B",
    "✓ exposition 1 sample",
    "✓ freshness no timestamps: the moment of the scrape counts",
  ])
})

test("a token that is refused is shown by what the site says, without the token", async (t) => {
  const port = await listen(t, createServer(withToken))
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`, { token: "other-s3cret" })
  assert.deepEqual(await probed(target), [
    ...REACHED,
    "✕ token 401 to a bearer token: not Bearer …",
    "– selectors",
    ...NOT_REACHED,
    "unauthorized: The site does not accept the portal's credentials (401): not Bearer ….",
  ])
})

test("a redirect is shown and not followed", async (t) => {
  const followed: IncomingMessage[] = []
  const internal = await listen(
    t,
    createServer((incoming) => void followed.push(incoming)),
  )
  const location = `http://127.0.0.1:${internal}/latest/meta-data`
  const port = await listen(
    t,
    createServer((_, response) => response.writeHead(307, { location }).end()),
  )
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`)
  assert.deepEqual(await probed(target), [
    ...REACHED,
    "– token a response with 307 does not show it",
    "– selectors a response with 307 does not show it",
    "✕ response 307 to http://127.0.0.1:PORT/latest/meta-data",
    "– exposition",
    "– freshness",
    "redirect: The site redirects to http://127.0.0.1:PORT/latest/meta-data (307 Temporary Redirect). Redirects are not followed: the token would reach another host.",
  ])
  assert.equal(followed.length, 0)
})
