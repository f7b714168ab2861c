import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import type { TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../dev/testing/until.ts"
import { type RunningProxy, startProxy } from "./start.ts"
import { PROBE } from "./upstream/probe.ts"
import { type EnvironmentPolicy, environmentPolicy } from "./policy/environment.ts"
import type { Client, ClientLimits } from "#core/federation/client.ts"
import type { Policy } from "./policy/types.ts"
import type { ProxyConfig } from "./config.ts"
import { request as sendRequest } from "undici"
import { QUERY, SHARED, TOKEN } from "../../dev/testing/attacks/request.ts"
import { listen } from "../../dev/testing/listen.ts"

export { QUERY, SHARED, TOKEN }
export const BEARER = { authorization: `Bearer ${TOKEN}` }
export const METRICS = "text/plain; version=0.0.4; charset=utf-8"

export interface TestProxy {
  readonly running: RunningProxy
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  /** All log lines so far. */
  log(): string
  /** The log lines of `count` requests, once they are there, as objects. */
  requests(count: number): Promise<readonly Record<string, unknown>[]>
}

/** A proxy on free ports, with its log kept; gone after the test. */
export async function startTestProxy(
  test: TestContext,
  upstream: string,
  changes: Partial<EnvironmentPolicy & ProxyConfig & Clock> = {},
): Promise<TestProxy> {
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "json" }, "proxy", (line) => lines.push(line))
  const local = { host: "127.0.0.1", port: 0 }
  const running = await startProxy(
    {
      policy: environmentPolicy({
        allow: [SHARED],
        token: TOKEN,
        tokenFile: undefined,
        upstream: new URL(upstream),
        upstreamTimeout: 5,
        responseBytes: 1_000_000,
        ...changes,
      }),
      addresses: [local],
      adminAddress: local,
      webConfigFile: undefined,
      ...changes,
    },
    log,
    undefined,
    changes.milliseconds,
  )
  test.after(() => running.close())
  const port = running.public.addresses[0]?.port ?? 0
  return {
    running,
    url: `http://127.0.0.1:${port}`,
    port,
    adminUrl: `http://127.0.0.1:${running.admin.addresses[0]?.port}`,
    log: () => lines.join(""),
    requests: (count) =>
      until(`${count} log lines of requests`, () => {
        const found = lines
          .join("")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(({ msg }) => msg === "request")
        return found.length >= count ? found : undefined
      }),
  }
}

export interface Received {
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/**
 * A stand-in for Prometheus that keeps what it received, but for what the proxy requests to find out whether it works although
 * a request fails: that goes to `probed`; for what a real one cannot be made to do or show. */
export async function startUpstream(
  test: TestContext,
  respond: Respond = sendSample,
  probed: Respond = (_, response) => void response.destroy(),
): Promise<{ readonly url: string; readonly port: number; readonly received: readonly Received[] }> {
  const received: Received[] = []
  // the headers that Prometheus accepts
  const server = createServer({ maxHeaderSize: 2 ** 20 + 4096 }, (request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", rawHeaders } = request
      if (url.includes(PROBE)) return probed(request, response)
      received.push({ method, url, rawHeaders, body })
      respond(request, response)
    })
  })
  const port = await listen(test, server)
  return { url: `http://127.0.0.1:${port}`, port, received }
}

export function sendSample(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": METRICS, server: "secret/1.0", "set-cookie": "a=b" })
  response.end("project_vcpu_usage 1 1\n")
}

export type Respond = (request: IncomingMessage, response: ServerResponse) => void

/** A clock that only goes forward, in place of the process's own. */
interface Clock {
  readonly milliseconds: () => number
}

export interface Changes extends Partial<Clock> {
  readonly policy?: Partial<Policy>
  readonly limits?: Partial<ClientLimits>
  readonly client?: Partial<Client>
}

/** A proxy before these upstreams with one client, whose policy is changed so. */
export async function startBefore(t: TestContext, urls: readonly string[], changes: Changes = {}) {
  const { policy, limits, client: changed, ...clock } = changes
  const [first = "", ...others] = urls
  const environment = environmentPolicy({
    allow: [SHARED],
    token: TOKEN,
    tokenFile: undefined,
    upstream: new URL(first),
    upstreamTimeout: 5,
    responseBytes: 10_000_000,
  })
  return startTestProxy(t, first, {
    policy: {
      ...environment,
      async load(read) {
        const loaded = await environment.load(read)
        const upstreams = [loaded.upstreams[0], ...others.map((url) => new URL(url))] as const
        const clients = loaded.clients.map((client) => ({
          ...client,
          ...changed,
          limits: { ...client.limits, ...limits },
        }))
        const tokens = loaded.tokens.map((token) => ({ ...token, owner: clients[0] ?? token.owner }))
        return { ...loaded, upstreams, clients, tokens, ...policy }
      },
    },
    ...clock,
  })
}

export async function startBoth(t: TestContext, respond: Respond, changes: Changes = {}, probed?: Respond) {
  const upstream = await startUpstream(t, respond, probed)
  return { upstream, proxy: await startBefore(t, [upstream.url], changes) }
}

export const REUSE = { policy: { reuse: 60 } }
export const ok = (response: ServerResponse, headers: Record<string, string> = {}): ServerResponse =>
  response.writeHead(200, { "content-type": METRICS, ...headers })
export const sample: Respond = (_, response) => ok(response).end("a 1\n")

export async function scrape(
  url: string,
  headers: Record<string, string> = {},
  method: "GET" | "HEAD" = "GET",
  signal?: AbortSignal,
) {
  const response = await sendRequest(`${url}/federate?${QUERY}`, {
    method,
    headers: { ...BEARER, ...headers },
    ...(signal && { signal }),
  })
  return { status: response.statusCode, headers: response.headers, body: await response.body.text() }
}
