import assert from "node:assert/strict"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import type { Identity, Refusal } from "#core/auth/owner.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import { openFederation } from "#core/federation/federation.ts"
import { readText } from "#core/files/read-text.ts"
import { createLogger } from "#core/log/logger.ts"
import { listen } from "../../dev/testing/listen.ts"
import { until } from "../../dev/testing/until.ts"
import { createProxyMetrics } from "./metrics.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { openPrometheus } from "./source.ts"
import type { Client } from "#core/federation/client.ts"
import type { Policy } from "./policy/types.ts"
import { SHARED, startUpstream, TOKEN } from "./testing.ts"

/** Allowed by SHARED, and so long that a thread decides about it. */
const LONG = `{job="project_usages",__name__=~"project_(${"vcpu|".repeat(200)}mb)_usage"}`

async function policyOf(upstream: string, allow: string, token: string): Promise<Policy> {
  const loader = environmentPolicy({
    allow: [allow],
    token,
    tokenFile: undefined,
    upstream: new URL(upstream),
    upstreamTimeout: 5,
    responseBytes: 1000,
  })
  return loader.load(readText)
}

/** A policy whose tokens belong to a client of this name. */
function renamed(policy: Policy, name: string): Policy {
  const clients = policy.clients.map((client) => ({ ...client, name }))
  return { ...policy, clients, tokens: policy.tokens.map((token) => ({ ...token, owner: clients[0] ?? token.owner })) }
}

interface Started {
  readonly upstream: Awaited<ReturnType<typeof startUpstream>>
  readonly make: (allow: string, token?: string) => Promise<Policy>
  readonly current: () => Policy
  readonly replace: (next: Policy) => void
  readonly statusOf: (selector: string, token?: string) => Promise<number>
  /** Until one request is in flight. */
  readonly waiting: () => Promise<unknown>
}

/** A federation for which no time passes, and whose policy the test replaces. */
async function start(t: TestContext): Promise<Started> {
  const upstream = await startUpstream(t)
  const make = (allow: string, token = TOKEN) => policyOf(upstream.url, allow, token)
  let policy = await make(SHARED)
  const metrics = createProxyMetrics()
  const log = createLogger({ level: "info", format: "json" }, "proxy", () => undefined)
  const federation = openFederation({
    paths: { "/federate": "selectors" },
    policy: () => policy,
    source: openPrometheus(metrics, log, () => 0),
    metrics,
    log,
    now: () => new Date(),
    milliseconds: () => 0,
  })
  t.after(() => federation.close())
  const server = createServer((request, response) => void federation.handle(request, response))
  const url = `http://127.0.0.1:${await listen(t, server)}`
  return {
    upstream,
    make,
    current: () => policy,
    replace: (next: Policy) => void (policy = next),
    statusOf: async (selector: string, token = TOKEN): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${url}/federate?match[]=${encodeURIComponent(selector)}`, { headers })).status
    },
    waiting: () =>
      until("the request to wait", async () => {
        const shown = await metrics.registry.getSingleMetricAsString("fedstack_proxy_requests_in_flight")
        return / 1$/m.test(shown) ? true : undefined
      }),
  }
}

const OTHER = '{job="other"}'
const CHANGES: readonly (readonly [
  title: string,
  change: (started: Started) => Promise<Policy> | Policy,
  status: number,
])[] = [
  ["shares the same with it", ({ make }) => make(SHARED), 200],
  ["shares something else", ({ make }) => make(OTHER), 403],
  ["accepts another token", ({ make }) => make(SHARED, "another-token-9c2e"), 401],
  ["gives its token to another client", ({ current }) => renamed(current(), "another"), 401],
]
for (const [title, change, status] of CHANGES) {
  test(`a request whose decision is pending gets ${status} where the new policy ${title}`, async (t) => {
    const federation = await start(t)
    const next = await change(federation)
    const pending = federation.statusOf(LONG)
    await federation.waiting()
    federation.replace(next)
    assert.equal(await pending, status)
    assert.equal(federation.upstream.received.length, status === 200 ? 1 : 0)
  })
}

test("a client that the new policy does not know is not throttled while its decision was pending", async (t) => {
  const { make, replace, statusOf, waiting } = await start(t)
  const next = await make(SHARED, "another-token-9c2e")
  for (let failure = 0; failure < 30; failure++) await statusOf(SHARED, "wrong")
  assert.equal(await statusOf(SHARED, "wrong"), 429)
  const pending = statusOf(LONG)
  await waiting()
  replace(next)
  assert.equal(await pending, 401)
})

/** Sends a token whose signature is being verified, by an issuer that the test responds for. */
async function startVerifying(t: TestContext) {
  const started = await start(t)
  const [plain, verification] = [started.current(), Promise.withResolvers<Identity<Client> | Refusal>()]
  const [owner] = plain.clients
  assert.ok(owner !== undefined)
  let verifying = false
  const verify = () => {
    verifying = true
    return verification.promise
  }
  const issuer = { issuer: "i", audience: [], keys: noKeys, known: () => undefined, precheck: () => undefined, owner }
  started.replace({ ...plain, issuers: [{ ...issuer, verify }] })
  const token = ["{}", '{"iss":"i"}', "x"].map((part) => Buffer.from(part).toString("base64url")).join(".")
  const pending = started.statusOf(SHARED, token)
  await until("the verification", () => (verifying ? true : undefined))
  return { ...started, plain, owner, token, pending, verified: verification.resolve }
}

test("a token that is valid when the policy no longer has its issuer is refused", async (t) => {
  const { plain, owner, pending, replace, verified } = await startVerifying(t)
  replace({ ...plain })
  verified({ owner, validUntil: Infinity })
  assert.equal(await pending, 401)
})

test("a token that is not valid when the policy that came meanwhile accepts it is no failure of its address", async (t) => {
  const { make, token, pending, replace, statusOf, verified } = await startVerifying(t)
  for (let failure = 0; failure < 30; failure++) await statusOf(SHARED, "wrong")
  replace(await make(SHARED, token))
  verified({ reason: "not valid" })
  assert.equal(await pending, 200)
})
