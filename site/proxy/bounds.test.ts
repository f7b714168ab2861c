import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { pino } from "pino"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { longSelector, selectorsOf } from "./bounds.testing.ts"
import { policyFile } from "./policy/load.ts"
import { BEARER, sample, startTestProxy, startUpstream, TOKEN } from "./testing.ts"

const encode = (texts: readonly string[]): string =>
  new URLSearchParams(texts.map((text): [string, string] => ["match[]", text])).toString()

async function start(t: TestContext, policy: string) {
  const upstream = await startUpstream(t, sample)
  const files = temporaryFolder(t)
  const write = (text: string) => files.write("policy.yaml", `upstreams: ["${upstream.url}"]\n${text}`)
  const file = await write(policy)
  const options = { log: pino({ enabled: false }), now: () => new Date(), env: { TOKEN } }
  const proxy = await startTestProxy(t, upstream.url, { policy: policyFile(file, options) })
  const get = async (texts: readonly string[]) => {
    const response = await fetch(`${proxy.url}/federate?${encode(texts)}`, { headers: BEARER })
    return { status: response.status, body: await response.text() }
  }
  return { upstream, proxy, get, write }
}

const CLIENT = `tokens: [{name: portal, env: TOKEN, match: ['{__name__=~".+"}'], share_everything: true}]\n`

for (const [title, texts] of [
  ["84 selectors", selectorsOf(84, 60)],
  ["211 selectors", selectorsOf(211, 90)],
  ["a selector of 10,058 characters", [longSelector(10_058)]],
  ["a query of 179 kB", selectorsOf(900, 150)],
  ["as many selectors as are served", selectorsOf(1024, 0)],
  ["a selector as long as is served", [longSelector(16_384)]],
] as const) {
  test(`serves ${title} without any setting`, async (t) => {
    const { get, upstream, proxy } = await start(t, CLIENT)
    assert.deepEqual(await get(texts), { status: 200, body: "a 1\n" })
    const sent = new URLSearchParams(upstream.received[0]?.url.split("?")[1]).getAll("match[]")
    assert.equal(sent.length, texts.length)
    const [line] = await proxy.requests(1)
    assert.equal(line?.reason, "ok")
  })
}

test("decides about 211 selectors within the budget of a policy with a thousand", async (t) => {
  const match = Array.from({ length: 1000 }, (_, index) => `'{__name__=~"cluster:metric_${index}:.+",job!="secret"}'`)
  const { get } = await start(t, `tokens: [{name: portal, env: TOKEN, match: [${match.join()}]}]\n`)
  const wanted = Array.from({ length: 211 }, (_, index) => `{__name__="cluster:metric_${4 * index}:sum",job="node"}`)
  assert.deepEqual(await get(wanted), { status: 200, body: "a 1\n" })
})

const BOUNDED = `${CLIENT}limits: {selectors: 2, selector_characters: 20, request_bytes: 16KiB}\n`
for (const [title, texts, status, reason, body] of [
  [
    "too many selectors",
    ["a", "b", "c"],
    400,
    "too_many_selectors",
    "The request has 3 selectors; at most 2 are served at once, the limit selectors. Request them in several jobs, or have it raised.\n",
  ],
  [
    "a selector that is too long",
    ["a".repeat(21)],
    400,
    "selector_too_long",
    "A selector has 21 characters; at most 20 are served, the limit selector_characters. Split it, or have it raised.\n",
  ],
] as const) {
  test(`refuses ${title}, names the limit, and counts it`, async (t) => {
    const { get, proxy } = await start(t, BOUNDED)
    assert.deepEqual(await get(texts), { status, body })
    assert.equal((await proxy.requests(1))[0]?.reason, reason)
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    assert.ok(metrics.includes(`fedstack_proxy_requests_total{client="portal",code="400",reason="${reason}"} 1\n`))
  })
}

test("refuses a request that is too large, names the limit, logs it and counts it", async (t) => {
  const { get, proxy } = await start(t, BOUNDED)
  const body = "The target and headers of the request have more than 16384 bytes, the limit request_bytes.\n"
  assert.deepEqual(await get(["a".repeat(16_384)]), { status: 431, body })
  assert.match(proxy.log(), /have more than 16384 bytes; raise the limit request_bytes, or let it request less at once/)
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
  assert.match(metrics, /^fedstack_web_client_failures_total\{.*reason="headers_too_large"\} 1$/m)
})

test("takes other bounds of a changed policy, that of bytes for new connections", async (t) => {
  const { get, write } = await start(t, BOUNDED)
  const texts = selectorsOf(100, 500)
  assert.equal((await get(texts)).status, 431)
  await write(CLIENT)
  await until("the new bounds", async () => ((await get(texts)).status === 200 ? true : undefined))
})

test("gives an entry bounds of its own", async (t) => {
  const { get } = await start(
    t,
    CLIENT.replace("share_everything", "limits: {selectors: 3}, share_everything") + "limits: {selectors: 2}\n",
  )
  assert.equal((await get(["a", "b", "c"])).status, 200)
  assert.match((await get(["a", "b", "c", "d"])).body, /at most 3 are served/)
})
