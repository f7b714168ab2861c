import type { ServerResponse } from "node:http"

/** Refusals in one turn of the event loop. */
const AT_ONCE = 16
const TEXT = "Too many requests without a valid token.\n"
const HEADERS = ["content-type", "text/plain; charset=utf-8", "content-length", String(TEXT.length), "retry-after", "1"]

/**
 * Refuses what was throttled, with an answer that is the same for all, and last: whatever else arrived in the same turn
 * of the event loop is answered before. When more arrives than can be refused, it is those who wait longer and longer.
 */
export function refuseLast(): (response: ServerResponse) => void {
  const waiting: ServerResponse[] = []
  const refuse = (): void => {
    for (const response of waiting.splice(0, AT_ONCE)) {
      if (!response.destroyed) response.writeHead(429, HEADERS).end(response.req.method === "HEAD" ? undefined : TEXT)
    }
    if (waiting.length > 0) setImmediate(refuse)
  }
  return (response) => {
    if (waiting.push(response) === 1) setImmediate(refuse)
  }
}
