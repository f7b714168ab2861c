import { type Dispatcher, request } from "undici"
import { FedstackError } from "#core/errors.ts"

/** What went wrong: no answer in time, one that is too large, or none at all, for the `cause`. */
export type RequestFailure = "deadline" | "size" | "no answer"

export class RequestFailed extends FedstackError {
  readonly failure: RequestFailure

  constructor(failure: RequestFailure, message: string, options?: ErrorOptions) {
    super("REQUEST_FAILED", 502, message, options)
    this.failure = failure
  }
}

export interface OutboundOptions {
  /** Seconds until the whole exchange must be over. */
  readonly deadline: number
  /** Bytes that a body may have. */
  readonly limit: number
  readonly method?: "GET" | "POST"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  readonly dispatcher?: Dispatcher
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/**
 * One outbound request with a deadline and a size limit. Redirects are answers like any other, never followed.
 * Throws RequestFailed, whose message names the address without its query (it may hold secrets).
 */
export async function exchange(url: URL, options: OutboundOptions): Promise<Answer> {
  const { headers: _, ...answer } = await exchangeWithHeaders(url, options)
  return answer
}

/** The same, with the headers of the answer, their names in lower case; of repeated ones only the first. */
export async function exchangeWithHeaders(
  url: URL,
  options: OutboundOptions,
): Promise<Answer & { readonly headers: Readonly<Record<string, string>> }> {
  const method = options.method ?? "GET"
  const failed = (failure: RequestFailure, reason: string, cause?: unknown): RequestFailed => {
    const message = `${method} ${url.origin}${url.pathname}: ${reason}`
    return new RequestFailed(failure, message, cause === undefined ? undefined : { cause })
  }
  const deadline = AbortSignal.timeout(options.deadline * 1000)
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal])
  try {
    const answer = await request(url, {
      method,
      signal,
      headers: options.headers ?? {},
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > options.limit) {
        answer.body.destroy()
        throw failed("size", `the answer is larger than ${options.limit} bytes`)
      }
      chunks.push(chunk)
    }
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, [value ?? ""].flat()[0] ?? ""]),
    )
    const text = Buffer.concat(chunks).toString("utf8")
    return { status: answer.statusCode, contentType: headers["content-type"] ?? "", headers, body: text }
  } catch (error) {
    if (error instanceof RequestFailed) throw error
    if (deadline.aborted) throw failed("deadline", `no whole answer within ${options.deadline} s`)
    throw failed("no answer", "no answer", error)
  }
}
