import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http"
import { buffer, text } from "node:stream/consumers"
import type { TestContext } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { uncompressSync } from "snappy"
import { listen } from "../../../dev/testing/listen.ts"
import { decodeMessage } from "../../../dev/testing/remote-write/schema.ts"
import type { TenancyProxyValues } from "./config.ts"
import { tenancyProxySettings } from "./settings.ts"
import { type RunningTenancyProxy, startTenancyProxy } from "./start.ts"

/** An upstream request, as it arrived. */
export interface Received {
  readonly tenant: string
  readonly path: string
  readonly rawHeaders: readonly string[]
  readonly version: 1 | 2
  readonly body: Buffer
}

export interface FakeUpstream {
  readonly url: string
  /** All so far. */
  readonly received: readonly Received[]
  /** By tenant: responds in place of storing. */
  readonly respond: Map<string, Respond>
}

export type Respond = (response: ServerResponse, received: Received) => void

/** Stores everything and reports so, or does what a test says: for what real upstreams cannot be made to do at will. */
export async function startUpstream(t: TestContext): Promise<FakeUpstream> {
  const received: Received[] = []
  const respond = new Map<string, Respond>()
  const server = createServer((request, response) => {
    // the proxy looks whether it is there
    if (request.method === "HEAD") {
      response.writeHead(405).end()
      return
    }
    void buffer(request).then((body) => {
      const { url: path = "", rawHeaders, headers } = request
      const version = headers["x-prometheus-remote-write-version"] === "2.0.0" ? 2 : 1
      const one = { tenant: String(headers["x-scope-orgid"]), path, rawHeaders, version, body } as const
      received.push(one)
      const act = respond.get(one.tenant) ?? store
      act(response, one)
    })
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}/api/v1/push`, received, respond }
}

export const store: Respond = (response, { version, body }) => {
  if (version === 1) {
    response.writeHead(200).end()
    return
  }
  const count = (of: (series: PlainSeries) => readonly unknown[]): number =>
    plainSeries(body, 2).reduce((sum, series) => sum + of(series).length, 0)
  const headers = {
    "x-prometheus-remote-write-samples-written": count(({ samples }) => samples),
    "x-prometheus-remote-write-histograms-written": count(({ histograms }) => histograms),
    "x-prometheus-remote-write-exemplars-written": count(({ exemplars }) => exemplars),
  }
  response.writeHead(204, headers).end()
}

export const status =
  (code: number, body = "", headers: Record<string, string> = {}): Respond =>
  (response) =>
    void response.writeHead(code, headers).end(body)

/** A series as an independent reader finds it; numbers of 64 bits are texts. */
export interface PlainSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly unknown[]
  readonly histograms: readonly unknown[]
  readonly exemplars: readonly unknown[]
  readonly metadata: unknown
  readonly created: unknown
}

type Labels = readonly { readonly name: string; readonly value: string }[]
interface Decoded {
  readonly symbols?: readonly string[]
  readonly timeseries: readonly {
    readonly labels?: Labels
    readonly labelsRefs?: readonly number[]
    readonly samples: readonly unknown[]
    readonly histograms: readonly unknown[]
    readonly exemplars: readonly { readonly labels?: Labels; readonly labelsRefs?: readonly number[] }[]
    readonly metadata?: { readonly type: number; readonly helpRef: number; readonly unitRef: number }
    readonly createdTimestamp?: string
  }[]
}

export function plainSeries(body: Buffer, version: 1 | 2): readonly PlainSeries[] {
  const { timeseries, symbols = [] } = decodeMessage(
    version === 1 ? "V1" : "V2",
    uncompressSync(body) as Buffer,
  ) as Decoded
  const at = (reference: number): string => {
    const symbol = symbols[reference]
    if (symbol === undefined) throw new Error(`reference ${reference} is out of range`)
    return symbol
  }
  const record = ({ labels = [], labelsRefs = [] }: { labels?: Labels; labelsRefs?: readonly number[] }) =>
    Object.fromEntries(
      [
        ...labels.map(({ name, value }) => [name, value] as const),
        ...labelsRefs.flatMap((name, index) =>
          index % 2 === 0 ? [[at(name), at(labelsRefs[index + 1] ?? -1)] as const] : [],
        ),
      ].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    )
  return timeseries.map(({ samples, histograms, exemplars, metadata, createdTimestamp, ...labels }) => ({
    labels: record(labels),
    samples,
    histograms,
    exemplars: exemplars.map(({ labels: own, labelsRefs, ...rest }) => ({
      ...rest,
      labels: record({ ...(own && { labels: own }), ...(labelsRefs && { labelsRefs }) }),
    })),
    metadata: metadata && [metadata.type, at(metadata.helpRef), at(metadata.unitRef)],
    created: createdTimestamp,
  }))
}

/** Symbols of a body of version 2 that nothing in it refers to: they would be another tenant's. */
export function unusedSymbols(body: Buffer): readonly string[] {
  const { symbols = [], timeseries } = decodeMessage("V2", uncompressSync(body) as Buffer) as Decoded
  const used = new Set<number>([0])
  for (const { labelsRefs = [], exemplars, metadata } of timeseries) {
    for (const each of [labelsRefs, ...exemplars.map((exemplar) => exemplar.labelsRefs ?? [])])
      for (const reference of each) used.add(reference)
    if (metadata) used.add(metadata.helpRef).add(metadata.unitRef)
  }
  return symbols.filter((_, index) => !used.has(index))
}

export interface TestProxy {
  readonly running: RunningTenancyProxy
  readonly url: string
  readonly port: number
  /** All log lines so far. */
  log(): string
  send(options: SendOptions): Promise<Response>
}

export interface SendOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
}

export interface Response {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export function valuesOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): TenancyProxyValues {
  const usage = { command: "fedstack tenancy-proxy", summary: "", settings: tenancyProxySettings }
  const reading = readSettings(usage, args, env)
  if (reading.kind !== "values") throw new Error("help was requested")
  return reading.values
}

/** A proxy on a free port with these flags; gone after the test. */
export async function startTestProxy(
  t: TestContext,
  args: readonly string[],
  changes: { readonly milliseconds?: () => number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<TestProxy> {
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "logfmt" }, "tenancy-proxy", (line) => lines.push(line))
  const { env = {}, ...clock } = changes
  const running = await startTenancyProxy(valuesOf(["--port", "0", ...args], env), {
    ...{ log, env, now: () => new Date() },
    ...clock,
  })
  t.after(() => running.close())
  const port = running.addresses[0]?.port ?? 0
  return {
    ...{ running, port, url: `http://127.0.0.1:${port}` },
    log: () => lines.join(""),
    send: (options) => send(port, options),
  }
}

/** As senders do: the body in one piece, with its length unless it is to come in chunks, and after a 100 where one is expected. */
function send(
  port: number,
  { method = "POST", path = "/api/v1/write", headers = {}, body }: SendOptions,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const chunked = headers["transfer-encoding"] !== undefined
  const length = body === undefined || chunked ? {} : { "content-length": String(body.length) }
  const request = httpRequest(
    { port, host: "127.0.0.1", method, path, headers: { ...headers, ...length } },
    (response) => {
      text(response).then(
        (received) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
        reject,
      )
    },
  )
  request.on("error", reject)
  if (headers.expect === undefined) request.end(body)
  else request.on("continue", () => request.end(body)).flushHeaders()
  return promise
}
