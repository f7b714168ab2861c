import type { Dispatcher } from "undici"
import type { ConnectionFailure } from "#core/http/connection-failure.ts"
import { describeFailure } from "#core/http/connection-failure.ts"
import { sendRequest } from "#core/http/send-request.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import type { UpstreamResponse } from "./response.ts"

export interface Post {
  /** POST where none is given. */
  readonly method?: "HEAD"
  readonly headers: string[]
  readonly body: Buffer
}

/** Why there was no response. */
export interface NoResponse {
  readonly failure: ConnectionFailure
  /** Such as `the connection was refused`: without an address, for senders. */
  readonly reason: string
  /** The same with details. */
  readonly problem: string
  /** Whether the upstream may have received it. */
  readonly sent: boolean
}

export type PostResult = UpstreamResponse | NoResponse

export const isResponse = (result: PostResult): result is UpstreamResponse => "status" in result

/** Bytes of a body that are kept, and those after which the connection is closed rather than read on. */
const KEPT = 4_096
const READ = 65_536

/** Sends one request to this address and no other, once. Never rejects. */
export async function post(
  dispatcher: Dispatcher,
  { origin, pathname, search }: Pick<URL, "origin" | "pathname" | "search">,
  { method, headers, body }: Post,
  deadline: Deadline,
): Promise<PostResult> {
  let head: Pick<UpstreamResponse, "status" | "headers"> | undefined
  let sent = false
  let bytes = 0
  const kept: Buffer[] = []
  const response = () => head && { ...head, text: Buffer.concat(kept).toString("utf8") }
  try {
    await sendRequest(
      dispatcher,
      { origin, path: pathname + search, method: method ?? "POST", headers, body, headersTimeout: 0, bodyTimeout: 0 },
      {
        connected: () => void (sent = true),
        start: (status, received) => void (head = { status, headers: received }),
        data(chunk) {
          if (bytes < KEPT) kept.push(chunk.subarray(0, KEPT - bytes))
          bytes += chunk.length
          if (bytes > READ) throw new Error("enough")
        },
      },
      deadline.signal,
    )
  } catch (error) {
    // what is known of a response that broke off is what counts of it
    const begun = response()
    if (begun !== undefined) return begun
    if (deadline.exceeded) return noResponse("no_answer", `no response within ${shown(deadline)} s`, sent)
    const { reason, problem } = describeFailure(error)
    return noResponse(reason, problem, sent)
  }
  return response() ?? noResponse("hung_up", "there was no response", sent)
}

const shown = ({ seconds }: Deadline): number => Math.round(seconds * 10) / 10

export const noResponse = (failure: ConnectionFailure, problem: string, sent: boolean): NoResponse => {
  const [reason = ""] = problem.split(": ")
  return { failure, reason, problem, sent }
}
