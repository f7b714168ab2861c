import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import { connect } from "node:net"
import { type TestContext, test } from "node:test"
import { pino } from "pino"
import { request } from "undici"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { policyFile } from "./policy/load.ts"
import { ok, type Respond, scrape, SHARED, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

/** A proxy with these clients, by name, each with a token. The test sends the response of the upstream. */
async function startClients<Name extends string>(
  t: TestContext,
  clients: Readonly<Record<Name, object>>,
  { respond, ...policy }: { readonly respond?: Respond; readonly limits?: object } = {},
) {
  const parts = Promise.withResolvers<ServerResponse>()
  const upstream = await startUpstream(t, respond ?? ((_, response) => parts.resolve(response)))
  const names = Object.keys(clients) as Name[]
  const tokens = names.map((name) => ({ name, env: name, match: [SHARED], ...clients[name] }))
  const text = JSON.stringify({ upstreams: [upstream.url], reuse: 0, tokens, ...policy })
  const file = await temporaryFolder(t).write("policy.yaml", text)
  const env = Object.fromEntries(names.map((name) => [name, `${name}-${TOKEN}`]))
  const log = pino({ enabled: false })
  const proxy = await startTestProxy(t, upstream.url, { policy: policyFile(file, { env, now: () => new Date(), log }) })
  const bearer = (name: Name) => ({ authorization: `Bearer ${env[name]}` })
  const allCame = () =>
    until("all to have come", async () => {
      const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
      const came = metrics.match(/^fedstack_proxy_requests_in_flight\{client="[a-z]+"\} /gm) ?? []
      return came.length === names.length ? true : undefined
    })
  return { names, proxy, upstream, response: parts.promise, bearer, allCame }
}

test("clients whose policies and requests are spelled differently share one request upstream", async (t) => {
  const match = {
    one: ['{job="project_usages",__name__=~"project_.*_usage"}', 'up{job="project_usages"}'],
    other: ['{ __name__="up", job="project_usages" }', "{__name__=~'project_.*_usage', job=`project_usages`}"],
  }
  const { names, proxy, upstream, response, bearer, allCame } = await startClients(t, {
    one: { match: match.one },
    other: { match: match.other },
  })
  const responses = names.map(async (name) => {
    const query = match[name].map((selector) => `match[]=${encodeURIComponent(selector)}`).join("&")
    return (await request(`${proxy.url}/federate?${query}`, { headers: bearer(name) })).body.text()
  })
  await allCame()
  ok(await response).end("a 1\n")
  assert.deepEqual(await Promise.all(responses), ["a 1\n", "a 1\n"])
  assert.equal(upstream.received.length, 1)
})

test("clients with other limits share one request upstream, and each meets its own limit alone", async (t) => {
  const started = await startClients(t, {
    generous: {},
    few: { limits: { series: 2 } },
    small: { limits: { response_bytes: 1024 } },
    hasty: { limits: { upstream_timeout: 0.5 } },
  })
  const { names, proxy, upstream, bearer, allCame } = started
  const ended = Promise.allSettled(names.map((name) => scrape(proxy.url, bearer(name)).then(({ body }) => body)))
  const response = ok(await started.response)
  response.write("a 1\n")
  await allCame()
  const [hasty] = await proxy.requests(1)
  response.write("b 1\nc 1\n")
  const [, few] = await proxy.requests(2)
  response.write(`# ${"x".repeat(1100)}\n`)
  const [, , small] = await proxy.requests(3)
  response.end()
  const [, , , generous] = await proxy.requests(4)
  assert.deepEqual(
    [hasty, few, small, generous].map((line) => [line?.client, line?.reason]),
    [
      ["hasty", "upstream_timeout"],
      ["few", "too_many_series"],
      ["small", "response_too_large"],
      ["generous", "ok"],
    ],
  )
  assert.deepEqual(
    (await ended).map((one) => (one.status === "fulfilled" ? one.value.length : "broken")),
    [1115, "broken", "broken", "broken"],
  )
  assert.equal(upstream.received.length, 1)
})

test("a client that reads variants of a large response slowly loses them, and no other client loses its own", async (t) => {
  const large = `a{b="${"x".repeat(92)}"} 1\n`.repeat(80_000)
  const { proxy, bearer } = await startClients(
    t,
    { greedy: {}, modest: {} },
    { respond: (_, response) => ok(response).end(large), limits: { memory: "32MiB", requests_per_second: 1000 } },
  )
  const slow = Array.from({ length: 8 }, (_, index) => {
    const socket = connect(proxy.port, "127.0.0.1").pause()
    socket.on("error", () => undefined)
    t.after(() => socket.destroy())
    const query = encodeURIComponent(SHARED.replace("}", `,x!="${index}"}`))
    const { authorization } = bearer("greedy")
    socket.write(`GET /federate?match[]=${query} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`)
    return socket
  })
  const lost = await proxy.requests(1)
  assert.equal(slow.length, 8)
  for (let round = 0; round < 3; round++) {
    const { status, body } = await scrape(proxy.url, bearer("modest"))
    assert.deepEqual([status, body.length], [200, large.length])
  }
  const lines = await proxy.requests(lost.length + 3)
  const endings = (name: string) => new Set(lines.filter(({ client }) => client === name).map(({ reason }) => reason))
  assert.deepEqual([endings("greedy"), endings("modest")], [new Set(["memory_share"]), new Set(["ok"])])
})
