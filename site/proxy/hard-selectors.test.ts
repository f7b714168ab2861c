import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { runWithThreadLimit } from "../../dev/testing/thread-limit.ts"
import { BEARER, QUERY, sendSample, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

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

test("refuses a hard selector for now, counts it, and serves known ones where no thread can be started", async (t) => {
  const file = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  const found = await runWithThreadLimit(`
    import { createServer } from "node:http"
    import { createLogger } from ${file("../../core/log/logger.ts")}
    import { startProxy } from ${file("start.ts")}
    import { environmentPolicy } from ${file("policy/environment.ts")}
    const upstream = createServer((_, response) => response.setHeader("content-type", "text/plain").end("a 1\\n"))
    await once(upstream.listen(0, "127.0.0.1"), "listening")
    const address = { host: "127.0.0.1", port: 0 }
    const policy = environmentPolicy({
      ...{ allow: [${JSON.stringify(SHARED)}], token: ${JSON.stringify(TOKEN)}, tokenFile: undefined },
      ...{ upstream: new URL("http://127.0.0.1:" + upstream.address().port), upstreamTimeout: 5, responseBytes: 1000 },
    })
    const log = createLogger({ level: "error", format: "logfmt" }, "proxy", () => {})
    const config = { policy, addresses: [address], adminAddress: address, webConfigFile: undefined }
    const proxy = await startProxy(config, log)
    const url = (server) => "http://127.0.0.1:" + server.addresses[0].port
    const send = async (selector) => {
      const target = url(proxy.public) + "/federate?match[]=" + encodeURIComponent(selector)
      const response = await fetch(target, { headers: { authorization: ${JSON.stringify(BEARER.authorization)} } })
      console.log(response.status, response.headers.get("retry-after"), (await response.text()).trim())
    }
    await send(${JSON.stringify(SHARED)})
    await allowThreads(false)
    await send(${JSON.stringify(HARD)})
    await send(${JSON.stringify(SHARED)})
    const metrics = await (await fetch(url(proxy.admin) + "/metrics")).text()
    console.log(/^fedstack_proxy_decider_start_failures_total .*$/m.exec(metrics)[0])
    await allowThreads(true)
    await send(${JSON.stringify(HARD)})
    process.exit()`)
  const output = need(t, found)
  if (output === undefined) return
  assert.deepEqual(
    output
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/(?<=not shared with ).*/, "…")),
    [
      "200 null a 1",
      "503 1 Whether the requested selectors are shared cannot be decided now; retry later.",
      "200 null a 1",
      "fedstack_proxy_decider_start_failures_total 1",
      `403 null The selector {__name__=~"project_.*a.{400}b.{300}_usage",job="project_usages"} is not shared with …`,
    ],
  )
})
