import assert from "node:assert/strict"
import { test } from "node:test"
import { BEARER, QUERY, sendSample, SHARED, startTestProxy, startUpstream } from "./testing.ts"

const HARD = '{job="project_usages",__name__=~"project_.*a.{400}b.{300}_usage"}'

test("serves others while a hard selector is decided, and then refuses it", async (t) => {
  const upstream = await startUpstream(t, sendSample)
  const { url } = await startTestProxy(t, upstream.url)
  const send = (query: string) => fetch(`${url}/federate?match[]=${query}`, { headers: BEARER })
  await send(encodeURIComponent(SHARED)) // the proxy is warm
  const hard = send(encodeURIComponent(HARD)).then(async (response) => [response.status, await response.text()])
  let over = false
  const decided = hard.then(() => (over = true))
  for (let i = 0; i < 10; i++) {
    const { status } = await send(encodeURIComponent(SHARED))
    assert.deepEqual([status, over], [200, false])
  }
  await decided
  const [status, text] = await hard
  assert.equal(status, 403)
  assert.match(String(text), /it is too complex to decide/)
})

test("a client whose new selectors are too hard to decide has to wait, and reads on what it may", async (t) => {
  const upstream = await startUpstream(t, sendSample)
  const { url } = await startTestProxy(t, upstream.url)
  const send = async (selector: string) => {
    const query = `match[]=${encodeURIComponent(selector)}`
    const { status, headers } = await fetch(`${url}/federate?${query}`, { headers: BEARER })
    return { status, wait: Number(headers.get("retry-after")) }
  }
  const known = await fetch(`${url}/federate?${QUERY}`, { headers: BEARER })
  assert.equal(known.status, 200)
  let last = { status: 0, wait: 0 }
  for (let i = 0; i < 100 && last.status !== 429; i++) {
    last = await send(`{job="project_usages",__name__=~"project_.*a.{400}b.{300}_usage",x!="${i}"}`)
  }
  assert.equal(last.status, 429)
  assert.ok(last.wait > 0)
  assert.equal((await send(SHARED)).status, 429, "another spelling is to be decided too")
  assert.equal((await fetch(`${url}/federate?${QUERY}`, { headers: BEARER })).status, 200)
})
