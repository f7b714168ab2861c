import type { Agent, Dispatcher } from "undici"
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

/** A whole answer. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** OPAs to which connections are kept: each TLS connection is 60 kB, of which 500 would be a quarter of the process. */
const MOST_KEPT = 100

/** Asks OPAs. Redirects are answers like any other. What is not read to its end has its connection destroyed. */
export interface Client {
  /** How many OPAs are asked: where they are many, a connection is closed after its answer. */
  expect(targets: number): void
  /** Throws ReadFailure, also where the body has more bytes than `limit`. */
  text(target: Target, question: Question, limit: number, signal: AbortSignal): Promise<Answer>
  /** Hands the answer to `use`, which reads its body whole. Throws ReadFailure. */
  stream<T>(
    target: Target,
    question: Question,
    signal: AbortSignal,
    use: (answer: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T>
}

export function createClient(credentials: Credentials, defaultScheme: "http" | "https"): Client {
  let many = false
  const optionsOf = (target: Target, { method, path, headers, body }: Question) => ({
    origin: originOf(target, defaultScheme),
    path: target.path + path,
    method,
    headers: { ...credentials.current().headers, ...headers },
    body: body ?? null,
    reset: many,
  })
  return {
    expect: (targets) => void (many = targets > MOST_KEPT),
    text: (target, question, limit, signal) =>
      twice(signal, () => ask(credentials.current().agent, optionsOf(target, question), limit, signal)),
    stream: (target, question, signal, use) =>
      twice(signal, async () => {
        const request = credentials.current().agent.request({ ...optionsOf(target, question), signal })
        const answer = await Promise.race([request, aborted(signal)]) // undici looks at the signal when it is connected
        answer.body.on("error", () => undefined) // whoever reads it gets the error too
        try {
          return await use(answer)
        } finally {
          answer.body.destroy() // more than what was used would keep the connection
        }
      }),
  }
}

/** Told by undici's own handler: as a stream, a short answer would cost twice as much. */
function ask(agent: Agent, options: Dispatcher.DispatchOptions, limit: number, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const chunks: Buffer[] = []
  let [status, bytes] = [0, 0]
  let controller: Dispatcher.DispatchController | undefined
  const cancel = (): void => {
    controller?.abort(signal.reason as Error)
    reject(signal.reason as Error)
  }
  signal.addEventListener("abort", cancel, { once: true })
  agent.dispatch(options, {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) cancel()
    },
    onResponseStart(_, code) {
      status = code
    },
    onResponseData(_, chunk) {
      bytes += chunk.length
      if (bytes > limit) throw new ReadFailure("size", `its answer is larger than ${limit} bytes`)
      chunks.push(chunk)
    },
    onResponseEnd: () => resolve({ status, text: Buffer.concat(chunks).toString("utf8") }),
    onResponseError: (_, error) => reject(error),
  })
  return promise
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true })
  return promise
}

/** Once more where a kept connection may have been closed from the other side at this very moment. */
async function twice<T>(signal: AbortSignal, once: () => Promise<T>): Promise<T> {
  try {
    return await once().catch((error: unknown) => {
      if (!brokeOff(error) || signal.aborted) throw error
      return once()
    })
  } catch (error) {
    if (error instanceof ReadFailure) throw error
    throw signal.aborted ? new ReadFailure("timeout", "no whole answer in time") : connectionFailure(error)
  }
}

function originOf({ scheme, address, port }: Target, defaultScheme: "http" | "https"): string {
  return `${scheme ?? defaultScheme}://${address.includes(":") ? `[${address}]` : address}:${port}`
}

const brokeOff = (error: unknown): boolean =>
  error instanceof Error && "code" in error && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(String(error.code))

export function statusFailure(status: number): ReadFailure {
  if (status === 401 || status === 403) {
    return new ReadFailure("unauthorized", `it answers ${status}: a token is missing, wrong, or may not ask this`)
  }
  return new ReadFailure("status", `it answers ${status}${hintOn(status)}`)
}

function hintOn(status: number): string {
  if (status >= 300 && status < 400) return ", and redirects are not followed"
  if (status === 400) return ": it may want to be asked by https"
  return status === 404 ? ": what answers is no OPA, or its address was given with /v1" : ""
}
