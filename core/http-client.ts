import { type Dispatcher, request } from "undici"
import { defineError } from "#core/errors.ts"

export const requestFailed = defineError("REQUEST_FAILED", 502, "{method} {url}: {reason}")

export interface OutboundOptions {
  /** Seconds until the whole exchange must be over. */
  readonly deadline: number
  /** Bytes that a body may have. */
  readonly limit: number
  readonly method?: "GET" | "POST"
  readonly headers?: Readonly<Record<string, string>>
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
 * Throws REQUEST_FAILED, whose message names the address without its query (it may hold secrets).
 */
export async function exchange(url: URL, options: OutboundOptions): Promise<Answer> {
  const method = options.method ?? "GET"
  const failed = (reason: string, cause?: unknown) =>
    requestFailed({ method, url: `${url.origin}${url.pathname}`, reason }, cause === undefined ? undefined : { cause })
  const deadline = AbortSignal.timeout(options.deadline * 1000)
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal])
  try {
    const answer = await request(url, {
      method,
      signal,
      headers: options.headers ?? {},
      ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > options.limit) {
        answer.body.destroy()
        throw failed(`the answer is larger than ${options.limit} bytes`)
      }
      chunks.push(chunk)
    }
    const contentType = answer.headers["content-type"]
    return {
      status: answer.statusCode,
      contentType: typeof contentType === "string" ? contentType : "",
      body: Buffer.concat(chunks).toString("utf8"),
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "REQUEST_FAILED") throw error
    if (deadline.aborted) throw failed(`no whole answer within ${options.deadline} s`)
    throw failed("no answer", error)
  }
}
