import type { Received } from "./request.ts"

/** Seconds that the clock of a server is ahead, by its header Date, which has whole seconds; undefined where it sends none. */
export function clockSkew({ headers, began }: Received, requestedAt: Date): number | undefined {
  const sent = Date.parse(headers.date ?? "")
  if (Number.isNaN(sent)) return undefined
  // on average half a second is cut off, and the response began in the middle between request and arrival
  const skew = Math.round((sent + 500 - requestedAt.getTime()) / 1000 - began / 2)
  return Math.abs(skew) <= 1 ? 0 : skew
}
