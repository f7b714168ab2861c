import type { IncomingHttpHeaders } from "node:http"
import { createGunzip } from "node:zlib"
import { type Dispatcher, getGlobalDispatcher } from "undici"
import { FedstackError } from "#core/errors.ts"
import { Deadline, unlessAborted } from "#core/retry/deadline.ts"
import { type ConnectionFailure, describeFailure } from "./connection-failure.ts"
import { type ResponseReceiver, sendRequest } from "./send-request.ts"

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
  readonly body?: string | Uint8Array
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

interface WholeResponse<Body> extends ResponseHead {
  readonly contentType: string
  readonly body: Body
}
export type TextResponse = WholeResponse<string>

/** A response whose body is still to come. `using` closes its connection where that is not read to its end. */
export interface StreamResponse extends ResponseHead, Disposable {
  /** Uncompressed. Throws RequestFailed. */
  readonly body: AsyncIterable<Buffer>
  /** The whole body, where it is small: beside a status that is no success. Throws RequestFailed. */
  text(limit: number): Promise<string>
}

/**
 * One request with a deadline and a size limit. Redirects are responses like any other, never followed. Throws
 * RequestFailed. Not by fetchStream, which takes a third more of the processor for a small response.
 */
export async function fetchText(address: RequestAddress, options: FetchOptions): Promise<TextResponse> {
  const { body, ...head } = await fetchBytes(address, options)
  return { ...head, body: body.toString("utf8") }
}

/** The same, of a body that is no text. Throws RequestFailed. */
export async function fetchBytes(
  address: RequestAddress,
  { deadline, signal, limit, ...options }: FetchOptions,
): Promise<WholeResponse<Buffer>> {
  using own = typeof deadline === "number" ? new Deadline(deadline, signal) : undefined
  const lifetime = own ?? (deadline as Deadline)
  const { failure, failed } = failuresOf(address, options, lifetime)
  const chunks: Buffer[] = []
  let head: ResponseHead | undefined
  let bytes = 0
  const receiver: ResponseReceiver = {
    start: (status, headers) => void (head = { status, headers }),
    data(chunk) {
      bytes += chunk.length
      if (bytes > limit) throw failure("too_many_bytes", `the response is larger than ${limit} bytes`)
      chunks.push(chunk)
    },
  }
  const { dispatcher = getGlobalDispatcher() } = options
  try {
    await sendRequest(dispatcher, dispatchOptions(address, options, {}), receiver, lifetime.signal)
  } catch (error) {
    throw failed(error, head !== undefined)
  }
  const { status = 0, headers = {} } = head ?? {}
  return { status, headers, contentType: headers["content-type"] ?? "", body: Buffer.concat(chunks) }
}

/** The same with the body while it arrives: what is read slowly is sent slowly. Throws RequestFailed. */
export async function fetchStream(address: RequestAddress, options: StreamOptions): Promise<StreamResponse> {
  const { lifetime, limit = Infinity, gzip = false, dispatcher = getGlobalDispatcher() } = options
  const signal = lifetime instanceof Deadline ? lifetime.signal : lifetime
  const { failure, failed } = failuresOf(address, options, lifetime)
  const headers = gzip ? { ...options.headers, "accept-encoding": "gzip" } : (options.headers ?? {})
  const request = dispatcher.request({ ...dispatchOptions(address, { ...options, headers }, options), signal })
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

function dispatchOptions(
  { origin, pathname, search }: RequestAddress,
  { method = "GET", headers = {}, body, closeConnection = false }: RequestOptions,
  { begin = 0, silence = 0 }: Pick<StreamOptions, "begin" | "silence">,
) {
  return {
    ...{ origin, path: pathname + search, method, headers, body: body ?? null, reset: closeConnection },
    headersTimeout: begin * 1000, // 0: none, the lifetime spans connecting, waiting and the body
    bodyTimeout: silence * 1000,
  }
}

/** What errors of a request become; `begun`: whether its response had begun. */
function failuresOf(
  { origin, pathname }: RequestAddress,
  { method = "GET" }: RequestOptions,
  lifetime: Deadline | AbortSignal,
) {
  const failure = (reason: ConnectionFailure, problem: string): RequestFailed =>
    new RequestFailed(`${method} ${origin}${pathname}`, reason, problem)
  const failed = (error: unknown, begun: boolean): RequestFailed => {
    if (error instanceof RequestFailed) return error
    if (lifetime instanceof Deadline && lifetime.exceeded)
      return failure("no_answer", `no whole response within ${Math.round(lifetime.seconds * 10) / 10} s`)
    const { aborted } = lifetime instanceof Deadline ? lifetime.signal : lifetime
    const { reason, problem } = describeFailure(aborted ? new DOMException("", "AbortError") : error, begun)
    return failure(reason, problem)
  }
  return { failure, failed }
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
