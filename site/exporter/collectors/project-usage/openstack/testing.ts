import { createServer as createTlsServer } from "node:https"
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import type { TestContext } from "node:test"
import type { TlsOptions } from "node:tls"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import type { Api, Get, Service } from "./api.ts"
import { type OpenOptions, openApis } from "./open.ts"
import { listen } from "../../../../../dev/testing/listen.ts"

export const PASSWORD = "pass$word secret"

/** What signs in to a fake cloud. */
export const variablesFor = (url: string): Readonly<Record<string, string>> => ({
  OS_AUTH_URL: `${url}/v3`,
  OS_USERNAME: "ann",
  OS_USER_DOMAIN_NAME: "Default",
  OS_PASSWORD: PASSWORD,
  OS_PROJECT_NAME: "admin",
  OS_PROJECT_DOMAIN_ID: "default",
})

interface Endpoint {
  readonly interface: string
  readonly region_id: string
  readonly url: string
}

interface SignIn {
  readonly auth: { readonly identity: { readonly password?: { readonly user: { readonly password: string } } } }
}

export interface FakeCloud {
  readonly url: string
  /** Bodies of sign-ins, the latest last. */
  readonly signIns: SignIn[]
  /** `GET /v2.1/servers?limit=1 token-1 compute 2.40` */
  readonly requests: string[]
  /** Seconds that a token lives. */
  lifetime: number
  /** Tokens that services accept; undefined: all. */
  valid: ReadonlySet<string> | undefined
  /** The password that is right. */
  password: string
  catalog: { readonly type: string; readonly endpoints: readonly Endpoint[] }[]
  /** Responds in place of the identity or compute service. */
  signIn: RequestListener | undefined
  respond: RequestListener | undefined
}

/** An identity and a compute service that can be made to fail as a real one cannot; gone after the test. */
export async function fakeCloud(test: TestContext, tls?: TlsOptions): Promise<FakeCloud> {
  const handle: RequestListener = (request, response) => void route(cloud, request, response)
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  const url = `${tls === undefined ? "http" : "https"}://localhost:${await listen(test, server)}`
  const cloud: FakeCloud = {
    url,
    signIns: [],
    requests: [],
    lifetime: 3600,
    valid: undefined,
    password: PASSWORD,
    catalog: [
      { type: "identity", endpoints: [{ interface: "public", region_id: "north", url }] },
      { type: "compute", endpoints: [{ interface: "public", region_id: "north", url: `${url}/v2.1/` }] },
    ],
    signIn: undefined,
    respond: undefined,
  }
  return cloud
}

async function route(cloud: FakeCloud, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  response.setHeader("content-type", "application/json")
  if (request.url === "/v3/auth/tokens") {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as SignIn
    cloud.signIns.push(body)
    if (cloud.signIn !== undefined) return cloud.signIn(request, response)
    const { password } = body.auth.identity
    if (password !== undefined && password.user.password !== cloud.password) {
      response.writeHead(401).end(JSON.stringify({ error: { code: 401, message: "no" } }))
      return
    }
    // the cloud's clock is an hour behind, which must not matter
    const issued = Date.now() - 3_600_000
    const token = {
      issued_at: new Date(issued).toISOString(),
      expires_at: new Date(issued + cloud.lifetime * 1000).toISOString(),
      catalog: cloud.catalog,
    }
    response.writeHead(201, { "x-subject-token": `token-${cloud.signIns.length}` }).end(JSON.stringify({ token }))
    return
  }
  const { "x-auth-token": token, "openstack-api-version": version } = request.headers
  cloud.requests.push([request.method, request.url, token, version].filter((part) => part !== undefined).join(" "))
  if (version !== undefined) response.setHeader("openstack-api-version", version)
  if (cloud.valid !== undefined && !cloud.valid.has(String(token))) response.writeHead(401).end("{}")
  else if (cloud.respond !== undefined) cloud.respond(request, response)
  else response.end('{"ok":true}')
}

export interface Opened {
  readonly apis: readonly Api[]
  /** Sends a request to the first API. */
  readonly get: (service?: Service, path?: string, options?: Partial<Get>) => Promise<unknown>
  readonly log: () => string
  readonly metrics: () => Promise<string>
}

/** APIs as the exporter opens them; closed after the test. */
export async function openFor(test: TestContext, options: Partial<OpenOptions>): Promise<Opened> {
  const lines: string[] = []
  const registry = new Registry()
  const { apis, close } = await openApis({
    env: {},
    openrc: undefined,
    clouds: [],
    regions: [],
    timeout: 5,
    registry,
    log: createLogger({ level: "info", format: "logfmt" }, "exporter", (line) => lines.push(line)),
    ...options,
  })
  test.after(close)
  return {
    apis,
    get: (service = "compute", path = "/servers", given = {}) => {
      if (apis[0] === undefined) throw new Error("there is no API")
      return apis[0].get(service, path, { signal: new AbortController().signal, ...given })
    },
    log: () => lines.join(""),
    metrics: () => registry.metrics(),
  }
}
