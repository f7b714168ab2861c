/** Seconds: more would keep a sender away for longer than an upstream can know. */
const MOST = 3600

/** Seconds to wait, of the header Retry-After (RFC 9110, 10.2.3): a number of them, or a date. `now`: milliseconds since 1970. */
export function retryAfterOf(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? ""
  const seconds = /^\d+$/.test(text) ? Number(text) : secondsUntil(text, now)
  return seconds === undefined ? undefined : Math.min(Math.max(0, Math.ceil(seconds)), MOST)
}

function secondsUntil(date: string, now: number): number | undefined {
  // only dates of HTTP: Date.parse makes one of almost anything
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/.test(date)) return undefined
  const time = Date.parse(/GMT$|UTC$/.test(date) ? date : `${date} GMT`)
  return Number.isNaN(time) ? undefined : (time - now) / 1000
}
