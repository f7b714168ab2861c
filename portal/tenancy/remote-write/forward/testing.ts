import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import type { TestContext } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { NO_COUNTS } from "../message/counts.ts"
import { decodeBlock, encodeElements } from "../../wire/snappy.ts"
import type { Version } from "../message/version.ts"
import type { Slice } from "../split/slice.ts"
import type { ForwardBounds } from "./bounds.ts"
import { until } from "../../../../dev/testing/until.ts"
import { createProxyMetrics } from "../metrics.ts"
import { openForward } from "./open.ts"
import type { ForwardOptions, Outcome } from "./outcome.ts"
import type { ForwardConfig } from "./settings.ts"

/** A slice whose samples are names: its message is them, a line each. */
export function sliceOf(tenant: string, samples: readonly string[], changes: Partial<Slice> = {}): Slice {
  const message = Buffer.from(samples.map((name) => `${name}\n`).join(""))
  return {
    version: 1,
    tenant: tenant as TenantId,
    group: "",
    series: samples.length,
    metadata: 0,
    counts: { ...NO_COUNTS, samples: samples.length },
    bytes: message.length,
    appendTo(batch) {
      batch.decodedBytes += message.length
      batch.chunks.push(encodeElements(message))
    },
    ...changes,
  }
}

/** A request as an upstream received it. */
export interface Received {
  /** Of the head. */
  readonly raw: string
  readonly headers: Readonly<Record<string, string>>
  readonly tenant: string
  readonly version: Version
  readonly samples: readonly string[]
  readonly retryAttempt: string | undefined
  /** How many requests this connection had before. */
  readonly before: number
  readonly socket: Socket
}

/** Writes what it likes to the socket. */
export type Respond = (received: Received) => void | Promise<void>

/** What most upstreams send. */
export function respondWith(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string | number>> = {},
  body = "",
): void {
  const all = { "content-length": Buffer.byteLength(body), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n${body}`)
}

/** Everything was written. */
export const accept: Respond = ({ socket, version, samples }) =>
  version === 1 ? respondWith(socket, 200) : respondWith(socket, 204, writtenHeaders(samples.length))

export const writtenHeaders = (samples: number): Record<string, number> => ({
  "x-prometheus-remote-write-samples-written": samples,
  "x-prometheus-remote-write-histograms-written": 0,
  "x-prometheus-remote-write-exemplars-written": 0,
})

/** A TCP server that reads requests by hand, so that tests see the bytes and send what no server would. */
export async function startUpstream(t: TestContext, respond: Respond) {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let buffered: Buffer = Buffer.alloc(0)
    let before = 0
    sockets.add(socket)
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket))
    socket.on("data", (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk])
      for (let request = parse(buffered); request !== undefined; request = parse(buffered)) {
        buffered = buffered.subarray(request.length)
        const whole = { ...request.request, before: before++, socket }
        received.push(whole)
        void respond(whole)
      }
    })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const closeConnections = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    closeConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: new URL(`http://127.0.0.1:${port}/api/v1/push?a=b`), port, received, closeConnections, server }
}

function parse(bytes: Buffer) {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const raw = bytes.toString("latin1", 0, end)
  const headers = Object.fromEntries(
    raw
      .split("\r\n")
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  )
  const length = end + 4 + Number(headers["content-length"] ?? 0)
  if (bytes.length < length) return undefined
  const message = raw.startsWith("HEAD ") ? "" : decodeBlock(bytes.subarray(end + 4, length)).toString()
  const request = {
    raw,
    headers,
    tenant: headers["x-scope-orgid"] ?? "",
    version: headers["x-prometheus-remote-write-version"] === "2.0.0" ? 2 : (1 as Version),
    samples: message.split("\n").slice(0, -1),
    retryAttempt: headers["retry-attempt"],
  } as const
  return { length, request }
}

export const BOUNDS: ForwardBounds = {
  parallel: 64,
  parallelSlow: 1000,
  parallelOfTenant: 2,
  slowAfter: 3600,
  waitingBytes: 2 ** 26,
  waitingBytesOfTenant: 2 ** 24,
  waitingSeconds: 3600,
  timeout: 3600,
  sharedElements: 10_000,
  tenants: 10_000,
}

/** Sends to these URLs until the test is over. */
export async function startForward(
  t: TestContext,
  urls: readonly URL[],
  bounds: Partial<ForwardBounds> = {},
  config: Partial<ForwardConfig> = {},
  milliseconds = () => performance.now(),
) {
  const registry = new Registry()
  const metrics = createProxyMetrics(registry).forward
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "logfmt" }, "test", (line) => lines.push(line))
  const none = { token: undefined, basicAuth: undefined, ca: undefined, cert: undefined, key: undefined }
  const forwarding = await openForward(
    {
      urls,
      headers: [],
      credentials: { ...none, serverName: undefined },
      bounds: { ...BOUNDS, ...bounds },
      ...config,
    },
    { log, registry, metrics, milliseconds },
  )
  t.after(() => forwarding.close())
  return { ...forwarding, registry, log: () => lines.join("") }
}

export const SENDER: ForwardOptions = { retryAttempt: undefined, signal: new AbortController().signal }

/** Waits until the upstream has so many requests, and gives the samples of each. */
export async function samplesOf(
  { received }: { readonly received: readonly Received[] },
  requests: number,
): Promise<readonly (readonly string[])[]> {
  await until(`${requests} requests`, () => received.length >= requests)
  return received.map(({ samples }) => samples)
}

/** For an upstream that responds when it may. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** In short: what was accepted, or why it was not. */
export const shownOutcome = (outcome: Outcome): string =>
  outcome.kind === "accepted"
    ? `accepted ${outcome.written.samples}`
    : `${outcome.status} ${outcome.written.samples} ${outcome.reason}`
