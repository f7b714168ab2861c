import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { rename } from "node:fs/promises"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { promisify } from "node:util"
import { SignJWT } from "jose"
import { pino } from "pino"
import { Registry } from "prom-client"
import { Agent, request } from "undici"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { listen } from "../../../dev/testing/listen.ts"
import { until } from "../../../dev/testing/until.ts"
import { QUERY, SHARED, startTestProxy, startUpstream } from "../testing.ts"
import { policyFile } from "./load.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { openPolicy } from "#core/federation/open-policy.ts"

const [OLD, NEW] = ["oLd-9f3kq0Xw7sPl2Vn8", "nEw-4hT5kq0Xw7sPl2Vn"]
const hashOf = (token: string): string => sha256(token).toString("hex")
/** Milliseconds of this process's processors, which requests keep busy meanwhile: a busy machine does not count. */
const LONGEST_RELOAD = 2000

function policyText(upstream: string, entries: readonly string[]): string {
  const list = entries.map((entry) => `  - {${entry}, match: ['${SHARED}']}\n`).join("")
  return `upstreams: ["${upstream}"]\nreuse: 0\nlimits: {requests_per_second: 100000}\ntokens:\n${list}`
}

async function start(t: TestContext, entries: readonly string[], respond?: Parameters<typeof startUpstream>[1]) {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t, respond)
  const file = await folder.write("policy.yaml", policyText(upstream.url, entries))
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const policy = policyFile(file, { env: {}, now: () => new Date(), log })
  const proxy = await startTestProxy(t, upstream.url, { policy })
  const agent = new Agent({ connections: 1, pipelining: 1 })
  t.after(() => agent.destroy())
  const statusOf = async (token: string, query = QUERY): Promise<number> => {
    const url = `${proxy.url}/federate?${query}`
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}` },
    })
    await body.dump()
    return statusCode
  }
  /** Replaces the policy in one step, as editors and mounts do. */
  const replace = async (text: readonly string[] | string): Promise<void> => {
    const content = typeof text === "string" ? text : policyText(upstream.url, text)
    await rename(await folder.write("next", content), file)
  }
  const successful = async () =>
    /^fedstack_config_last_reload_successful\{config="policy"\} (\d)$/m.exec(
      await (await fetch(`${proxy.adminUrl}/metrics`)).text(),
    )?.[1]
  return { folder, proxy, statusOf, replace, successful, file, upstream }
}

const entryOf = (token: string): string => `name: portal, sha256: ${hashOf(token)}`

test("an old token is refused on its open connection as soon as the new policy is in force", async (t) => {
  const { statusOf, replace } = await start(t, [entryOf(OLD)])
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const [before, after] = round % 2 === 0 ? ([OLD, NEW] as const) : ([NEW, OLD] as const)
    assert.equal(await statusOf(before), 200)
    const begin = process.cpuUsage()
    await replace([entryOf(after)])
    while ((await statusOf(before)) === 200) await nextTurn()
    const { user, system } = process.cpuUsage(begin)
    times.push((user + system) / 1000)
    // 429: an address that fails too often is slowed down
    for (let again = 0; again < 20; again++) assert.ok([401, 429].includes(await statusOf(before)))
    assert.equal(await statusOf(after), 200)
  }
  t.diagnostic(
    `a changed policy was in force after ${times.map((time) => time.toFixed(0)).join(", ")} ms of processor time`,
  )
  assert.ok(Math.max(...times) < LONGEST_RELOAD, `${times.join(", ")} ms`)
})

test("a faulty policy leaves the one before in force, and is logged with every fault", async (t) => {
  const { statusOf, replace, successful, proxy } = await start(t, [entryOf(OLD)])
  assert.equal(await successful(), "1")
  await replace([`name: portal, sha256: ${hashOf(NEW)}, extra: 1`, 'name: "-"'])
  await until("the faults", async () => ((await successful()) === "0" ? true : undefined))
  assert.deepEqual([await statusOf(OLD), await statusOf(NEW)], [200, 401])
  assert.match(proxy.log(), /policy\.yaml:5:\d+ tokens\[0\]\.extra.*unknown key/)
  assert.match(proxy.log(), /policy\.yaml:6:\d+ tokens\[1\]\.name.*must be 1 to 63 letters/)
  await replace([entryOf(NEW)])
  await until("the good policy", async () => ((await successful()) === "1" ? true : undefined))
  assert.deepEqual([await statusOf(OLD), await statusOf(NEW)], [401, 200])
})

test("a token file of the policy is followed", async (t) => {
  const { statusOf, folder, replace } = await start(t, [entryOf(OLD)])
  await folder.write("tokens", `${NEW}\n`)
  await replace(["name: portal, file: tokens"])
  await until("the token of the file", async () => ((await statusOf(NEW)) === 200 ? true : undefined))
  await folder.write("tokens", `${OLD}\n`)
  await until("the other token", async () => ((await statusOf(OLD)) === 200 ? true : undefined))
  assert.equal(await statusOf(NEW), 401)
})

test("a policy that names a file which comes later is in force as soon as it is there", async (t) => {
  const { statusOf, folder, replace, successful } = await start(t, [entryOf(OLD)])
  await replace(["name: portal, file: later"])
  await until("the fault", async () => ((await successful()) === "0" ? true : undefined))
  await folder.write("later", `${NEW}\n`)
  await until("the good policy", async () => ((await successful()) === "1" ? true : undefined))
  assert.deepEqual([await statusOf(OLD), await statusOf(NEW)], [401, 200])
})

test("a slow reading never replaces one that began later", async () => {
  const { promise: slow, resolve } = Promise.withResolvers<void>()
  let count = 0
  const load = async () => {
    const name = `policy ${count++}`
    if (count === 2) await slow
    return { name, tokens: [], issuers: [], certificates: [], clients: [], warnings: [] } as never
  }
  const nothing = () => Promise.resolve()
  const log = pino({ enabled: false })
  const source = await openPolicy(
    { load, applied: nothing, close: nothing },
    { log, registry: new Registry(), changed: () => undefined },
  )
  const reloads = [source.reload(), source.reload()]
  await nextTurn()
  resolve()
  await Promise.all(reloads)
  assert.equal((source.current() as unknown as { name: string }).name, "policy 2")
})

test("SIGHUP's reload reads the policy at once, and reloads at the same time come one after the other", async (t) => {
  const { statusOf, replace, proxy } = await start(t, [entryOf(OLD)])
  await replace([entryOf(NEW)])
  await Promise.all([proxy.running.reload(), proxy.running.reload()])
  assert.deepEqual([await statusOf(OLD), await statusOf(NEW)], [401, 200])
})

/** It takes a good part of a second to find out that this is too complex. */
const HARD = `match[]=${encodeURIComponent('{job="project_usages",__name__=~"project_.*a.{400}b.{300}_usage"}')}`
/** Clients whose turns come first: what waits behind them waits long enough for a policy to change. */
const BUSY = ["a", "b"].map((name) => ({ name, token: `${name}-3kq0Xw7sPl2Vn8oLd9f` }))

for (const [after, status] of [
  [OLD, 403],
  [NEW, 401],
] as const) {
  test(`a request that waits for its decision is judged by the policy that came meanwhile: ${status}`, async (t) => {
    const busy = BUSY.map(({ name, token }) => `name: ${name}, sha256: ${hashOf(token)}`)
    const { statusOf, replace, proxy } = await start(t, [entryOf(OLD), ...busy])
    const send = (token: string) =>
      fetch(`${proxy.url}/federate?${HARD}`, { headers: { authorization: `Bearer ${token}` } })
    const inFlight = (client: string) => async () =>
      new RegExp(`^fedstack_proxy_requests_in_flight\\{.*client="${client}".*\\} 1$`, "m").test(
        await (await fetch(`${proxy.adminUrl}/metrics`)).text(),
      ) || undefined
    const before = BUSY.map(({ token }) => send(token))
    await Promise.all(BUSY.map(({ name }) => until(`${name} to be busy`, inFlight(name))))
    const waiting = statusOf(OLD, HARD)
    await until("the request to wait", inFlight("portal"))
    await replace([`${entryOf(after)}, enforce: false`])
    await proxy.running.reload()
    assert.equal(await waiting, status)
    await Promise.all(before)
  })
}

test("a scrape under way ends as it began, whatever the policy becomes", async (t) => {
  let finish = (): void => undefined
  const { statusOf, replace, proxy, upstream } = await start(t, [entryOf(OLD)], (_, response) => {
    finish = () => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end("a 1\n")
  })
  const running = statusOf(OLD)
  await until("the request upstream", () => upstream.received[0])
  await replace([entryOf(NEW)])
  await proxy.running.reload()
  finish()
  assert.equal(await running, 200)
  assert.equal(await statusOf(OLD), 401)
})

test("the keys in a file are followed, and tokens that they verified are forgotten", async (t) => {
  const pairs = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")]
  const jwks = (index: number) => JSON.stringify({ keys: [pairs[index]?.publicKey.export({ format: "jwk" })] })
  const { statusOf, folder, replace, upstream } = await start(t, [entryOf(OLD)])
  const keys = await folder.write("jwks.json", jwks(0))
  const jwt = `jwt: [{issuer: i, audience: a, jwks: {file: ${keys}}, match: ['${SHARED}']}]\n`
  await replace(policyText(upstream.url, [entryOf(OLD)]) + jwt)
  const [first, second] = await Promise.all(
    pairs.map(({ privateKey }) =>
      new SignJWT({ iss: "i", aud: "a" }).setProtectedHeader({ alg: "EdDSA" }).setExpirationTime("5m").sign(privateKey),
    ),
  )
  await until("the issuer", async () => ((await statusOf(first ?? "")) === 200 ? true : undefined))
  assert.equal(await statusOf(second ?? ""), 401)
  await folder.write("jwks.json", jwks(1))
  await until("the other key", async () => ((await statusOf(second ?? "")) === 200 ? true : undefined))
  assert.equal(await statusOf(first ?? ""), 401)
})

test("the metrics show the tokens of a new policy before any request", async (t) => {
  const { replace, proxy } = await start(t, [entryOf(OLD)])
  const credentials = async () => {
    const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
    return [...metrics.matchAll(/^fedstack_proxy_credential_expiry_timestamp_seconds\{client="(.*?)"/gm)].map(
      ([, client]) => client,
    )
  }
  assert.deepEqual(await credentials(), ["portal"])
  await replace([`name: renamed, sha256: ${hashOf(NEW)}`])
  await proxy.running.reload()
  assert.deepEqual(await credentials(), ["renamed"])
})

test("the issuer of a policy that was replaced is no longer contacted", async (t) => {
  const server = createServer((_, response) => response.end('{"keys": []}'))
  server.keepAliveTimeout = 600_000
  const issuer = `http://127.0.0.1:${await listen(t, server)}`
  const { replace, proxy, upstream } = await start(t, [entryOf(OLD)])
  const connections = promisify(server.getConnections.bind(server))
  const jwt = `jwt: [{issuer: i, audience: a, jwks: {url: "${issuer}"}, match: ['${SHARED}']}]\n`
  await replace(policyText(upstream.url, [entryOf(OLD)]) + jwt)
  await until("the request for keys", async () => ((await connections()) === 1 ? true : undefined))
  await replace([entryOf(OLD)])
  await proxy.running.reload()
  await until("its connection to close", async () => ((await connections()) === 0 ? true : undefined))
})
