import type { ResponseReceiver } from "#core/http/send-request.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { UpstreamHealth } from "#core/http/upstream-health.ts"
import type { UpstreamRequest } from "./request.ts"

/** A federation of nothing: a Prometheus that serves it in time serves others. */
export const PROBE = `match%5B%5D=${encodeURIComponent('{__name__="fedstack_probe"}')}`
/** Bytes of a server that takes no notice of the query. */
const ENOUGH = 2 ** 20

/** Sends a request to one upstream. */
type SendTo = (
  upstream: URL,
  request: UpstreamRequest,
  receiver: ResponseReceiver,
  signal: AbortSignal,
) => Promise<void>

/**
 * Finds out whether a Prometheus works although a request to it fails, as one does that is too much for it. Once at a time for
 * each, and not where it worked since `since` (milliseconds) anyway. It has so many seconds.
 */
export function createProbe(health: UpstreamHealth, sendTo: SendTo) {
  const underWay = new Map<string, Promise<void>>()

  async function send(upstream: URL, like: UpstreamRequest, seconds: number): Promise<void> {
    using deadline = new Deadline(seconds)
    let status: number | undefined
    let bytes = 0
    const receiver: ResponseReceiver = {
      start: (received) => void (status = received),
      data(chunk) {
        bytes += chunk.length
        if (bytes > ENOUGH) throw new Error("enough")
      },
    }
    const request = { ...like, query: PROBE, accept: undefined, gzip: false }
    let whole = true
    try {
      await sendTo(upstream, request, receiver, deadline.signal)
    } catch {
      whole = bytes > ENOUGH
    }
    if (whole && status === 200) health.worked(upstream)
    // any other status says that it can be reached
    else if (!whole || status === 503) health.report(upstream, false)
  }

  return async (upstream: URL, like: UpstreamRequest, seconds: number, since: number): Promise<boolean> => {
    if (!health.workedSince(upstream, since)) {
      const sending =
        underWay.get(upstream.href) ?? send(upstream, like, seconds).finally(() => underWay.delete(upstream.href))
      underWay.set(upstream.href, sending)
      await sending
    }
    return health.workedSince(upstream, since)
  }
}
