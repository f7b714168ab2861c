import type { Logger } from "#core/log/logger.ts"

/** Milliseconds in which equal events are one line. */
const EVERY = 60_000
const MOST_EVENTS = 1000

/** Logs an event at once, and equal ones that follow once a minute, with how many there were. */
export function createRefusalLog(log: Logger, now: () => number) {
  const events = new Map<string, { at: number; times: number }>()
  return (key: string, message: string, fields: () => Readonly<Record<string, string | number | undefined>>): void => {
    const event = events.get(key)
    const time = now()
    if (event !== undefined && time - event.at < EVERY) {
      event.times++
      return
    }
    if (event === undefined && events.size >= MOST_EVENTS) events.clear()
    events.set(key, { at: time, times: 0 })
    const times = event === undefined || event.times === 0 ? {} : { times_before: event.times }
    log.warn({ ...fields(), ...times }, message)
  }
}
