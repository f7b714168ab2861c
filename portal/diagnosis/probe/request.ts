import type { IncomingHttpHeaders } from "node:http"
import type { Dispatcher } from "undici"
import { fetchStream, RequestFailed, type StreamResponse } from "#core/http/client.ts"
import type { ConnectionFailure } from "#core/http/connection-failure.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import { ACCEPTED } from "../../federation/connect.ts"

/** Bytes of a response that are read, uncompressed. */
export const MOST_BYTES = 256 * 1024

/** What came of a request, also where it broke off. */
export interface Received {
  /** Undefined where no response began. */
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  /** At most MOST_BYTES, uncompressed. */
  readonly body: Buffer
  /** Whether the response is longer than what was read. */
  readonly longer: boolean
  readonly failure: { readonly reason: ConnectionFailure; readonly problem: string } | undefined
  /** Seconds until the response began, and until its end or what was read of it. */
  readonly began: number
  readonly seconds: number
}

export interface Sending {
  readonly dispatcher: Dispatcher
  readonly deadline: Deadline
  readonly authorization: string | undefined
}

/** Requests as Prometheus does, compressed, and reads the first bytes of the response. Never rejects. */
export async function requestOnce(address: URL, { dispatcher, deadline, authorization }: Sending): Promise<Received> {
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000
  const headers = { ...ACCEPTED, ...(authorization === undefined ? {} : { authorization }) }
  const nothing = { status: undefined, headers: {}, body: Buffer.alloc(0), longer: false }
  let response: StreamResponse
  try {
    response = await fetchStream(address, { dispatcher, headers, lifetime: deadline, gzip: true })
  } catch (error) {
    return { ...nothing, failure: failureOf(error), began: seconds(), seconds: seconds() }
  }
  using open = response
  const { status, headers: received } = open
  const began = seconds()
  const body = await readStart(open.body)
  return { status, headers: received, ...body, began, seconds: seconds() }
}

async function readStart(body: AsyncIterable<Buffer>): Promise<Pick<Received, "body" | "longer" | "failure">> {
  const chunks: Buffer[] = []
  let bytes = 0
  let failure: Received["failure"]
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MOST_BYTES) break
    }
  } catch (error) {
    failure = failureOf(error)
  }
  return { body: Buffer.concat(chunks).subarray(0, MOST_BYTES), longer: bytes > MOST_BYTES, failure }
}

function failureOf(error: unknown): NonNullable<Received["failure"]> {
  if (error instanceof RequestFailed) return { reason: error.reason, problem: error.problem }
  throw error
}
