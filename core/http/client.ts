import type { IncomingHttpHeaders } from "node:http"
import { createGunzip } from "node:zlib"
import { type Dispatcher, getGlobalDispatcher } from "undici"
import { FedstackError } from "#core/errors.ts"
import { Deadline, unlessAborted } from "#core/retry/deadline.ts"
import { type ConnectionFailure, describeFailure } from "./connection-failure.ts"

/** A request got no whole response. Its message names the address without the query, which may hold secrets. */
export class RequestFailed extends FedstackError {
  readonly reason: ConnectionFailure
  /** The message without method and address. */
  readonly problem: string

  constructor(request: string, reason: ConnectionFailure, problem: string) {
    super("REQUEST_FAILED", 502, `${request}: ${problem}`)
    this.reason = reason
    this.problem = problem
  }
}

/** Where a request goes, such as a URL. What a URL would resolve in a path, such as `..`, stays as it is. */
export type RequestAddress = Pick<URL, "origin" | "pathname" | "search">

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly dispatcher?: Dispatcher
  /** Closes the connection after the response rather than keep it for the next request. */
  readonly closeConnection?: boolean
}

export interface FetchOptions extends RequestOptions {
  /** Seconds until the whole response must be there, or a deadline that several requests share, with its own signal. */
  readonly deadline: number | Deadline
  readonly signal?: AbortSignal
  /** Bytes that a body may have. */
  readonly limit: number
}

export interface StreamOptions extends RequestOptions {
  /** For the whole response; or, for one that has no end, a signal and the times below. */
  readonly lifetime: Deadline | AbortSignal
  /** Seconds until a response begins. */
  readonly begin?: number
  /** Seconds without a byte of the body. */
  readonly silence?: number
  /** Bytes that a body may have, uncompressed. */
  readonly limit?: number
  /** Whether to request a compressed body. */
  readonly gzip?: boolean
}

export interface ResponseHead {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: IncomingHttpHeaders
}

export interface TextResponse extends ResponseHead {
  readonly contentType: string
  readonly body: string
}

/** A response whose body is still to come. `using` closes its connection where that is not read to its end. */
export interface StreamResponse extends ResponseHead, Disposable {
  /** Uncompressed. Throws RequestFailed. */
  readonly body: AsyncIterable<Buffer>
  /** The whole body, where it is small: beside a status that is no success. Throws RequestFailed. */
  text(limit: number): Promise<string>
}

/**
 * One request with a deadline and a size limit. Redirects are responses like any other, never followed. Throws
 * RequestFailed.
 */
export async function fetchText(
  address: RequestAddress,
  { deadline, signal, limit, ...options }: FetchOptions,
): Promise<TextResponse> {
  using own = typeof deadline === "number" ? new Deadline(deadline, signal) : undefined
  using response = await fetchStream(address, { ...options, lifetime: own ?? (deadline as Deadline) })
  const { status, headers } = response
  return { status, headers, contentType: headers["content-type"] ?? "", body: await response.text(limit) }
}

/** The same with the body while it arrives: what is read slowly is sent slowly. Throws RequestFailed. */
export async function fetchStream(
  { origin, pathname, search }: RequestAddress,
  options: StreamOptions,
): Promise<StreamResponse> {
  const { method = "GET", body = null, dispatcher = getGlobalDispatcher(), closeConnection = false } = options
  const { lifetime, begin = 0, silence = 0, limit = Infinity, gzip = false } = options
  const signal = lifetime instanceof Deadline ? lifetime.signal : lifetime
  const failure = (reason: ConnectionFailure, problem: string): RequestFailed =>
    new RequestFailed(`${method} ${origin}${pathname}`, reason, problem)
  const failed = (error: unknown, begun: boolean): RequestFailed => {
    if (error instanceof RequestFailed) return error
    if (lifetime instanceof Deadline && lifetime.exceeded)
      return failure("no_answer", `no whole response within ${Math.round(lifetime.seconds * 10) / 10} s`)
    const { reason, problem } = describeFailure(signal.aborted ? new DOMException("", "AbortError") : error, begun)
    return failure(reason, problem)
  }
  const request = dispatcher.request({
    ...{ origin, path: pathname + search, method, body, signal, reset: closeConnection },
    headers: gzip ? { ...options.headers, "accept-encoding": "gzip" } : (options.headers ?? {}),
    headersTimeout: begin * 1000, // 0: none, the lifetime spans connecting, waiting and the body
    bodyTimeout: silence * 1000,
  })
  // undici looks at the signal when it is connected
  const response = await unlessAborted(request, signal).catch((error: unknown) => {
    throw failed(error, false)
  })
  response.body.on("error", () => undefined) // the reader gets the error too
  async function* read(most: number): AsyncGenerator<Buffer> {
    let bytes = 0
    try {
      for await (const chunk of decode(response, gzip)) {
        bytes += chunk.length
        if (bytes > most) throw failure("too_many_bytes", `the response is larger than ${most} bytes`)
        yield chunk
      }
    } catch (error) {
      throw failed(error, true)
    }
  }
  return {
    status: response.statusCode,
    headers: response.headers,
    body: read(limit),
    async text(most) {
      const chunks: Buffer[] = []
      for await (const chunk of read(most)) chunks.push(chunk)
      return Buffer.concat(chunks).toString("utf8")
    },
    [Symbol.dispose]: () => void response.body.destroy(),
  }
}

function decode({ body, headers }: Dispatcher.ResponseData, gzip: boolean): AsyncIterable<Buffer> {
  const encoding = headers["content-encoding"] ?? "identity"
  if (!gzip || encoding === "identity") return body as AsyncIterable<Buffer>
  if (encoding !== "gzip")
    throw Object.assign(new Error(`${[encoding].flat().join()} was not requested`), { code: "Z_ENCODING" })
  const gunzip = createGunzip({ chunkSize: 65_536 })
  gunzip.on("error", () => undefined) // the reader gets the error too
  body.on("error", (error) => gunzip.destroy(error))
  return body.pipe(gunzip)
}
