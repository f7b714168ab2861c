import type { ServerResponse } from "node:http"
import type { Logger } from "#core/log/logger.ts"
import { bucketsByNetwork } from "./networks.ts"
import { type Rate, tokenBucket } from "./token-bucket.ts"

/** Failures that get a response, and a line of the log, one by one: per address and from all together. */
const PER_ADDRESS: Rate = { perSecond: 5, burst: 20 }
const IN_ALL: Rate = { perSecond: 100, burst: 400 }
/** Milliseconds between two lines with the number of throttled requests. */
const REPORT = 10_000
/** Refusals in one turn of the event loop. */
const REFUSED_AT_ONCE = 16
const TEXT = "Too many requests without a valid token.\n"
const HEADERS = ["content-type", "text/plain; charset=utf-8", "content-length", String(TEXT.length), "retry-after", "1"]

/** Counts failed authentications. It is consulted after a failure only: no valid credential is ever throttled. */
export function throttleFailures(now: () => number, log: Logger) {
  const all = tokenBucket(IN_ALL, now)
  const bucketOf = bucketsByNetwork(PER_ADDRESS, now)
  const waiting: ServerResponse[] = []
  let throttled = 0
  let timer: NodeJS.Timeout | undefined
  const report = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (throttled > 0) log.warn({ requests: throttled }, "too many requests without a valid token, refused unlogged")
    throttled = 0
  }
  const refuseSome = (): void => {
    for (const response of waiting.splice(0, REFUSED_AT_ONCE)) {
      if (!response.destroyed) response.writeHead(429, HEADERS).end(response.req.method === "HEAD" ? undefined : TEXT)
    }
    if (waiting.length > 0) setImmediate(refuseSome)
  }
  return {
    close: report,
    /** Whether this failure is one too many, to be refused without a look at it. */
    failed(address: string | undefined): boolean {
      if (bucketOf(address ?? "").take() === 0 && all.take() === 0) return false
      throttled++
      timer ??= setTimeout(report, REPORT).unref()
      return true
    },
    /**
     * Sends a response that is the same for all, and last: other requests that arrived in the same turn of the event loop
     * come first. Where more arrive than can be refused, it is those that wait longer and longer.
     */
    refuse(response: ServerResponse): void {
      if (waiting.push(response) === 1) setImmediate(refuseSome)
    },
  }
}
