import { AsyncLocalStorage } from "node:async_hooks"
import type { ServerResponse } from "node:http"
import { Readable } from "node:stream"
import type { FastifyHttpProxyOptions } from "@fastify/http-proxy"
import type { Dispatcher } from "undici"
import type { Sending } from "#core/http/client-credentials.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { LONGEST_QUERY } from "./parameters.ts"

/** Seconds: until the headers of a response are there, without a byte of its body, and for all of it. */
export const DEADLINES = { headers: LONGEST_QUERY + 5, idle: 60, whole: 300 }
export type Deadlines = Readonly<typeof DEADLINES>

/** One request that is passed on. */
interface Passing {
  readonly signal: AbortSignal
  failure?: unknown
}

type Answered = (error: Error | null, data: Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">) => void

/**
 * Sends the requests of @fastify/reply-from, whose own agent verifies no certificate and goes on when the client has left.
 * A request that fails gets a response without a body here: the library would retry, and log and send the text of the error.
 */
export function upstreamRequests(sending: () => Sending, deadlines: Deadlines) {
  const current = new AsyncLocalStorage<Passing>()
  const request = (options: Dispatcher.RequestOptions, answered: Answered): void => {
    const passing = current.getStore()
    const { headers: headersTimeout, idle: bodyTimeout } = deadlines
    sending().agent.request(
      {
        ...options,
        headersTimeout: headersTimeout * 1000,
        bodyTimeout: bodyTimeout * 1000,
        ...(passing && { signal: passing.signal }),
      },
      (error, data) => {
        if (error === null) return answered(null, data)
        if (passing !== undefined) passing.failure = error
        answered(null, { statusCode: 502, headers: {}, body: Readable.from([]) as Dispatcher.ResponseData["body"] })
      },
    )
  }
  return {
    /** As the library's option `undici` takes it. */
    requester: { request } as NonNullable<FastifyHttpProxyOptions["undici"]>,
    /** Passes a request on within `pass`; it ends with its response to the client. */
    pass(response: ServerResponse, pass: (passing: Passing) => void): void {
      const gone = new AbortController()
      const deadline = new Deadline(deadlines.whole, gone.signal)
      response.once("close", () => {
        gone.abort()
        deadline[Symbol.dispose]()
      })
      const passing: Passing = { signal: deadline.signal }
      current.run(passing, () => pass(passing))
    },
  }
}
