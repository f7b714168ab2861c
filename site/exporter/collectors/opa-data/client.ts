import { type Dispatcher, request } from "undici"
import type { Credentials } from "./credentials.ts"
import { connectionFailure, ReadFailure } from "./failure.ts"
import type { Target } from "./target.ts"

export interface Question {
  readonly method: "GET" | "POST"
  /** Below the target's own, with its query. */
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks an OPA and hands the answer to `use`, which reads its body whole. Throws ReadFailure. */
export type Ask = <T>(
  target: Target,
  question: Question,
  signal: AbortSignal,
  use: (answer: Dispatcher.ResponseData) => Promise<T>,
) => Promise<T>

/** Redirects are answers like any other. A body that is not read to its end has its connection destroyed. */
export function createAsk(credentials: Credentials, defaultScheme: "http" | "https"): Ask {
  const once: Ask = async (target, question, signal, use) => {
    const { agent, headers } = credentials.current()
    let answer: Dispatcher.ResponseData | undefined
    try {
      answer = await request(`${baseOf(target, defaultScheme)}${question.path}`, {
        method: question.method,
        dispatcher: agent,
        headers: { ...headers, ...question.headers },
        body: question.body ?? null,
        signal,
      })
      answer.body.on("error", () => undefined) // whoever reads it gets the error too
      return await use(answer)
    } catch (error) {
      answer?.body.destroy()
      if (error instanceof ReadFailure) throw error
      if (signal.aborted) throw new ReadFailure("timeout", "no whole answer in time")
      throw connectionFailure(error)
    }
  }
  return async (target, question, signal, use) => {
    try {
      return await once(target, question, signal, use)
    } catch (error) {
      // a kept connection may have been closed from the other side at this very moment
      if (!(error instanceof ReadFailure) || error.reason !== "connection" || !brokeOff(error.cause)) throw error
      return once(target, question, signal, use)
    }
  }
}

export function baseOf({ scheme, address, port, path }: Target, defaultScheme: "http" | "https"): string {
  return `${scheme ?? defaultScheme}://${address.includes(":") ? `[${address}]` : address}:${port}${path}`
}

const brokeOff = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(String(cause.code))

/** The body as text. Throws ReadFailure where it has more bytes than `limit`. */
export async function textOf({ body }: Dispatcher.ResponseData, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > limit) throw new ReadFailure("size", `its answer is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

export function statusFailure(status: number): ReadFailure {
  if (status === 401 || status === 403) {
    return new ReadFailure("unauthorized", `it answers ${status}: a token is missing, wrong, or may not ask this`)
  }
  const hint = status >= 300 && status < 400 ? ", and redirects are not followed" : ""
  return new ReadFailure("status", `it answers ${status}${hint}`)
}
