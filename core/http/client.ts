import type { IncomingHttpHeaders } from "node:http"
import { type Dispatcher, getGlobalDispatcher } from "undici"
import { FedstackError } from "#core/errors.ts"
import { Deadline } from "#core/retry/deadline.ts"
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

export interface ResponseHead {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: IncomingHttpHeaders
}

export interface TextResponse extends ResponseHead {
  readonly contentType: string
  readonly body: string
}

/**
 * One request with a deadline and a size limit. Redirects are responses like any other, never followed. Throws
 * RequestFailed.
 */
export async function fetchText(address: RequestAddress, options: FetchOptions): Promise<TextResponse> {
  const { limit, dispatcher = getGlobalDispatcher() } = options
  using own = typeof options.deadline === "number" ? new Deadline(options.deadline, options.signal) : undefined
  const deadline = own ?? (options.deadline as Deadline)
  const chunks: Buffer[] = []
  let head: ResponseHead | undefined
  let bytes = 0
  const receiver: ResponseReceiver = {
    start: (status, headers) => void (head = { status, headers }),
    data(chunk) {
      bytes += chunk.length
      if (bytes > limit) throw tooLarge(address, options, limit)
      chunks.push(chunk)
    },
  }
  try {
    await sendRequest(dispatcher, dispatchOptions(address, options), receiver, deadline.signal)
  } catch (error) {
    throw requestFailed(address, options, error, { lifetime: deadline, begun: head !== undefined })
  }
  const { status = 0, headers = {} } = head ?? {}
  const body = Buffer.concat(chunks).toString("utf8")
  return { status, headers, contentType: headers["content-type"] ?? "", body }
}

/** Is called with a response while it arrives. What it throws ends the request, and becomes its error. */
export interface ResponseReceiver {
  start(status: number, headers: IncomingHttpHeaders): void
  data(chunk: Buffer): void
}

/**
 * Sends one request. Resolves at the end of its response, and rejects where that is not as long as announced. An aborted
 * signal rejects at once. By undici's own handler: as a stream, each chunk would cost twice as much.
 */
export function sendRequest(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  receiver: ResponseReceiver,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let controller: Dispatcher.DispatchController | undefined
  const cancel = (): void => {
    const reason = signal.reason as Error
    controller?.abort(reason)
    reject(reason)
  }
  const ended = (): void => signal.removeEventListener("abort", cancel)
  signal.addEventListener("abort", cancel, { once: true })
  dispatcher.dispatch(options, {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) cancel()
    },
    onResponseStart(_, status, headers) {
      if (status >= 200) receiver.start(status, headers)
    },
    onResponseData: (_, chunk) => receiver.data(chunk),
    onResponseEnd() {
      ended()
      resolve()
    },
    onResponseError(_, error) {
      ended()
      reject(error)
    },
  })
  return promise
}

export function dispatchOptions(
  { origin, pathname, search }: RequestAddress,
  { method = "GET", headers = {}, body, closeConnection = false }: RequestOptions,
) {
  return {
    origin,
    path: pathname + search,
    method,
    headers,
    body: body ?? null,
    reset: closeConnection,
    headersTimeout: 0, // a deadline spans connecting, waiting and the body
    bodyTimeout: 0,
  }
}

export function tooLarge(address: RequestAddress, options: RequestOptions, limit: number): RequestFailed {
  return new RequestFailed(show(address, options), "too_many_bytes", `the response is larger than ${limit} bytes`)
}

/** What an error of undici means. `begun`: whether the response had begun. */
export function requestFailed(
  address: RequestAddress,
  options: RequestOptions,
  error: unknown,
  { lifetime, begun }: { readonly lifetime: Deadline | AbortSignal; readonly begun: boolean },
): RequestFailed {
  if (error instanceof RequestFailed) return error
  const request = show(address, options)
  if (lifetime instanceof Deadline && lifetime.exceeded) {
    const seconds = Math.round(lifetime.seconds * 10) / 10
    return new RequestFailed(request, "no_answer", `no whole response within ${seconds} s`)
  }
  const { aborted } = lifetime instanceof Deadline ? lifetime.signal : lifetime
  const { reason, problem } = describeFailure(aborted ? new DOMException("", "AbortError") : error, begun)
  return new RequestFailed(request, reason, problem)
}

const show = ({ origin, pathname }: RequestAddress, { method = "GET" }: RequestOptions): string =>
  `${method} ${origin}${pathname}`
