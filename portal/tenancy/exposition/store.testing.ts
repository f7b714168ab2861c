import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { buffer } from "node:stream/consumers"
import type { TestContext } from "node:test"
import { compressSync, uncompressSync } from "snappy"
import { listen } from "../../../dev/testing/listen.ts"
import { bitsOf, decodeMessage, encodeMessage } from "../../../dev/testing/remote-write/schema.ts"

/** A series with samples: times in milliseconds, and values. */
export interface FakeSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly samples?: readonly (readonly [timestamp: number, value: number | string])[]
  readonly histograms?: readonly object[]
}

/** The bits of the float that marks the end of a series. */
export const STALE = String(0x7ff0000000000002n)

export interface ReceivedQuery {
  readonly startTimestampMs: string
  readonly endTimestampMs: string
  readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[]
}

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** Of a remote read. */
  readonly queries: readonly ReceivedQuery[]
}

/** The block of a `prometheus.ReadResponse` with these results. */
export const blockOf = (...results: readonly (readonly FakeSeries[])[]): Buffer => compressSync(messageOf(results))

export function messageOf(results: readonly (readonly FakeSeries[])[]): Buffer {
  const seriesOf = ({ labels, samples = [], histograms = [] }: FakeSeries): object => ({
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
    samples: samples.map(([timestamp, value]) => ({
      value: typeof value === "string" ? value : bitsOf(value),
      timestamp: String(timestamp),
    })),
    histograms,
  })
  return encodeMessage("ReadResponse", { results: results.map((series) => ({ timeseries: series.map(seriesOf) })) })
}

export type Respond = (received: ReceivedRequest, response: ServerResponse, request: IncomingMessage) => void

export interface FakeStore {
  readonly url: string
  readonly port: number
  readonly received: readonly ReceivedRequest[]
  /** The remote reads among them. */
  reads(): readonly ReceivedRequest[]
}

/** What a store responds to names and metadata, where a test is about series. */
export const NO_NAMES: Respond = (_, response) => void response.end('{"status":"success","data":[]}')
export const NO_METADATA: Respond = (_, response) => void response.end('{"status":"success","data":{}}')

/** A stand-in for Cortex that keeps what it received, for what a real one cannot be made to do or show. */
export async function startFakeStore(
  t: TestContext,
  series: Respond,
  { names = NO_NAMES, metadata = NO_METADATA }: { readonly names?: Respond; readonly metadata?: Respond } = {},
): Promise<FakeStore> {
  const received: ReceivedRequest[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method = "", url = "", rawHeaders } = request
      const message = method === "POST" ? decodeMessage("ReadRequest", uncompressSync(body) as Buffer) : { queries: [] }
      const one = { method, url, rawHeaders, ...(message as Pick<ReceivedRequest, "queries">) }
      received.push(one)
      const respond = url.startsWith("/prometheus/api/v1/read") ? series : url.includes("/metadata") ? metadata : names
      respond(one, response, request)
    })
  })
  const port = await listen(t, server)
  return {
    url: `http://127.0.0.1:${port}/prometheus`,
    port,
    received,
    reads: () => received.filter(({ method }) => method === "POST"),
  }
}

/** Values of a header, each as it came. */
export function headerOf({ rawHeaders }: ReceivedRequest, name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}

/** Responds with these series to every query. */
export const seriesOfAll =
  (make: (received: ReceivedRequest) => readonly FakeSeries[]): Respond =>
  (received, response) =>
    void response.end(blockOf(...received.queries.map(() => make(received))))
