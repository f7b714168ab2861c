import type { IncomingHttpHeaders } from "node:http"
import { responseTooLarge, tooManySeries } from "#core/response-cache/send.ts"
import type { ResponseSink } from "#core/response-cache/growing.ts"
import { upstreamBadResponse } from "../errors.ts"
import { type Inspection, inspect } from "./inspect.ts"
import type { UpstreamRequest } from "./request.ts"
import type { MetricsFormat } from "./series.ts"

/** Statuses that a request can get which is too much for Prometheus, or nothing that it knows. */
const OF_REQUESTS = new Set([400, 413, 414, 422, 429, 431])

/** The response has such a status: the client's fault where Prometheus works otherwise. */
export class StatusOfRequest extends Error {
  readonly status: number

  constructor(status: number) {
    super(`its status is ${status}`)
    this.status = status
  }
}

export type ResponseValidation = ReturnType<typeof validateResponse>

/**
 * Validates a response of Prometheus while it comes, and passes on what is good so far. Throws an error of errors.ts for
 * whatever is not a federation: no status but 200, no redirect and no page of another program reaches the client.
 */
export function validateResponse(request: UpstreamRequest, sink: ResponseSink) {
  const { bytes: mostBytes, series: mostSeries } = request.target
  let inspection: Inspection | undefined
  let problem: Error | undefined
  let bytes = 0
  return {
    /** Whether some of the body went to the sink. */
    get begun(): boolean {
      return bytes > 0
    },
    start(status: number, headers: IncomingHttpHeaders): void {
      if (OF_REQUESTS.has(status)) throw new StatusOfRequest(status)
      if (status !== 200) throw upstreamBadResponse({ problem: `its status is ${status}` })
      const format = formatOf(headers)
      const gzip = isCompressed(headers, request)
      const announced = headers["content-length"]
      const length = announced === undefined ? undefined : Number(announced)
      if (length !== undefined && length > mostBytes) throw responseTooLarge({ limit: mostBytes })
      inspection = inspect(format, gzip, (series, found) => {
        problem ??= found
        sink.series = series
        if (series > mostSeries) problem ??= tooManySeries({ limit: mostSeries })
      })
      sink.begin({ headers: passedOn(headers), length })
    },
    data(chunk: Buffer): void {
      if (bytes + chunk.length > mostBytes) throw responseTooLarge({ limit: mostBytes })
      inspection?.add(chunk)
      if (problem !== undefined) throw problem
      bytes += chunk.length
      sink.add(chunk)
    },
    /** Rejects where the response is not whole and good. */
    async end(): Promise<void> {
      await inspection?.end()
      if (problem !== undefined) throw problem
    },
    close: () => inspection?.close(),
  }
}

const TEXT = /^(?:text\/plain|application\/openmetrics-text)\s*(?:;|$)/i
/** Its readable forms are for people, and their series could not be counted. */
const PROTOBUF = /^application\/vnd\.google\.protobuf\s*;(?:.*;)?\s*encoding=delimited\s*(?:;|$)/i

function formatOf({ "content-type": type = "" }: IncomingHttpHeaders): MetricsFormat {
  if (TEXT.test(type)) return "text"
  if (PROTOBUF.test(type)) return "protobuf"
  throw upstreamBadResponse({ problem: "its content type is not one of metrics" })
}

function isCompressed({ "content-encoding": encoding }: IncomingHttpHeaders, { gzip }: UpstreamRequest): boolean {
  if (encoding === undefined || encoding === "identity") return false
  if (gzip && encoding === "gzip") return true
  throw upstreamBadResponse({ problem: "its encoding was not requested" })
}

const PASSED_ON = ["content-type", "content-encoding", "vary"] as const

function passedOn(headers: IncomingHttpHeaders): readonly string[] {
  return PASSED_ON.flatMap((name) => {
    const value = headers[name]
    return value === undefined ? [] : [name, value]
  })
}
