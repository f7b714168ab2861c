import { setImmediate as nextTurn } from "node:timers/promises"
import type { Sending } from "#core/http/client-credentials.ts"
import { showUpstream, type UpstreamHealth } from "#core/http/upstream-health.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { withoutSecrets } from "#core/log/without-secrets.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { isResponse, type NoResponse, noResponse, post, type Post, type PostResult } from "./post.ts"

export interface UpstreamsContext {
  readonly urls: readonly URL[]
  readonly health: UpstreamHealth
  readonly sending: () => Sending
  /** Of all requests: names and values in turn. */
  readonly headers: readonly string[]
  readonly log: Logger
}

/** Sends a request to the first upstream that takes it. */
export type Send = (post: Post, deadline: Deadline) => Promise<PostResult>

export interface Upstreams {
  readonly send: Send
  /**
   * Finds out whether those that had no request lately could take one: that what is to stand in is down, or up again, would
   * show only when it is needed. They get a request without a body, and whatever they respond but 503 is a sign of life.
   */
  readonly lookAtIdle: (signal: AbortSignal) => Promise<void>
}

/** Milliseconds without a request after which one is looked at. */
const IDLE = 60_000
/** Seconds that it has to respond. */
const LOOK_TIMEOUT = 5

export function openUpstreams({ urls, health, sending, headers: ofAll, log }: UpstreamsContext): Upstreams {
  const consequence = urls.length > 1 ? "trying the others first" : "senders have to resend"
  const reports = new Map(
    urls.map((url) => [
      url,
      logChanges((reason?: string) => {
        const upstream = showUpstream(url)
        if (reason === undefined) log.info({ upstream }, "the upstream works again")
        else log.warn({ upstream, reason }, `the upstream is unavailable, ${consequence}`)
      }),
    ]),
  )
  health.keep(urls)
  /** When each had a request last. */
  const tried = new Map<URL, number>()
  const report = (url: URL, reason: string | undefined): void => {
    if (reason === undefined) health.worked(url)
    else health.report(url, false)
    reports.get(url)?.(reason)
  }

  async function tryOnce(url: URL, request: Post, deadline: Deadline): Promise<PostResult> {
    const { agent, headers } = sending()
    const own = Object.entries(headers).flat()
    const result = await post(agent, url, { ...request, headers: [...request.headers, ...own] }, deadline)
    if (!isResponse(result) || result.status < 300) return result
    // a server for tests and mistakes repeats what it receives, and senders get to see it
    return { ...result, text: withoutSecrets(result.text, [headers.authorization?.replace(/^\S+ /, "")]) }
  }

  /** Twice where the connection was closed: it may be one that was idle, which the upstream closed just before. */
  async function tryOne(url: URL, request: Post, deadline: Deadline): Promise<PostResult> {
    const result = await tryOnce(url, request, deadline)
    if (isResponse(result) || !wasClosed(result)) return result
    await nextTurn() // until the closing of other idle connections is known too
    return tryOnce(url, request, deadline)
  }

  async function look(url: URL, signal: AbortSignal): Promise<void> {
    const begin = health.now()
    using deadline = new Deadline(LOOK_TIMEOUT, signal)
    const result = await tryOne(url, { method: "HEAD", headers: [...ofAll], body: NOTHING }, deadline)
    // a request that came meanwhile says more
    if (signal.aborted || (tried.get(url) ?? -Infinity) >= begin) return
    const reason = !isResponse(result) ? result.problem : result.status === 503 ? "its status is 503" : undefined
    health.report(url, reason === undefined)
    reports.get(url)?.(reason)
  }

  async function lookAtIdle(signal: AbortSignal): Promise<void> {
    const time = health.now()
    const idle = urls.filter((url) => time - (tried.get(url) ?? -Infinity) > IDLE)
    await Promise.all(idle.map((url) => look(url, signal)))
  }

  const send: Send = async (request, deadline) => {
    const begin = health.now()
    const suspects: (readonly [URL, string])[] = []
    let last: PostResult | undefined
    for (const url of health.healthiestFirst(urls)) {
      health.trying(url)
      tried.set(url, begin)
      const result = await tryOne(url, request, deadline)
      if (isResponse(result) && result.status !== 503) {
        report(url, undefined)
        // so the request is none that makes any upstream fail
        for (const [suspect, reason] of suspects) report(suspect, reason)
        return result
      }
      if (isResponse(result)) report(url, "its status is 503")
      else if (!result.sent || (deadline.exceeded && !health.workedSince(url, begin))) report(url, result.problem)
      else suspects.push([url, result.problem])
      // a status says more than that there was none
      if (last === undefined || isResponse(result) || !isResponse(last)) last = result
      if (deadline.signal.aborted) break
    }
    return last ?? noResponse("unknown", "there is no upstream", false)
  }

  return { send, lookAtIdle }
}

const NOTHING = Buffer.alloc(0)

const wasClosed = ({ failure, sent }: NoResponse): boolean => sent && (failure === "hung_up" || failure === "reset")
