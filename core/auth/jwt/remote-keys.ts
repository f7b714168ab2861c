import type { JWTVerifyGetKey } from "jose"
import { Agent } from "undici"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { exchange } from "#core/http/client.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, jitter, pause } from "#core/retry/backoff.ts"
import { BadKeys, parseKeys } from "./keys.ts"

/** Keys that an issuer publishes. */
export interface KeySet {
  /** Another number whenever the keys are others: what was verified with those before counts no more. */
  generation(): number
  /** Undefined where there are none, or none any more. */
  current(): JWTVerifyGetKey | undefined
  /** Waits for keys that are on their way, and asks for new ones unless that was done a moment ago. */
  refresh(): Promise<void>
}

/** Where nobody is to be asked. */
export const noKeys: KeySet & Closable = {
  generation: () => 0,
  current: () => undefined,
  refresh: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** Seconds. */
export interface KeyTimes {
  /** Between two looks at the keys. */
  readonly refresh: number
  /** Until a token with an unknown key may cause another look. */
  readonly coolDown: number
  /** Until a look that failed is repeated; doubled each time up to `refresh`. */
  readonly retry: number
  /** That keys are used when no newer ones can be had. */
  readonly stale: number
  /** For one look. */
  readonly deadline: number
}

export const KEY_TIMES: KeyTimes = { refresh: 300, coolDown: 30, retry: 1, stale: 86_400, deadline: 5 }
const LARGEST = 1_048_576

/** Looks at the keys of an issuer now and then, from now until it is closed. Failures are logged; the keys before stay. */
export function followKeys(
  url: URL,
  ca: string | undefined,
  log: Logger,
  times: KeyTimes = KEY_TIMES,
): KeySet & Closable {
  const agent = new Agent({
    connections: 1,
    allowH2: false, // where an answer that is torn off may look whole
    connect: { timeout: times.deadline * 1000, ...(ca === undefined ? {} : { ca }) },
  })
  const closing = new AbortController()
  const shown = `${url.origin}${url.pathname}`
  let keys: JWTVerifyGetKey | undefined
  let text = ""
  let generation = 0
  let failures = 0
  let fetchedAt = 0
  let lookedAt = -Infinity
  let looking: Promise<void> | undefined

  const fetchKeys = async (): Promise<string> => {
    const { deadline } = times
    const options = {
      deadline,
      limit: LARGEST,
      dispatcher: agent,
      signal: closing.signal,
      headers: { accept: "application/json" },
    }
    const answer = await exchange(url, options)
    // a redirect too: it could lead anywhere
    if (answer.status !== 200) throw new BadKeys(`the answer has the status ${answer.status}`)
    return answer.body
  }
  const lookNow = async (): Promise<void> => {
    try {
      const next = await fetchKeys()
      const nextKeys = next === text && keys !== undefined ? keys : parseKeys(next)
      if (next !== text) generation++
      if (failures > 0) log.info({ url: shown }, "keys of an issuer can be had again")
      keys = nextKeys
      text = next
      fetchedAt = performance.now()
      failures = 0
    } catch (error) {
      if (closing.signal.aborted) return
      failures++
      const consequence = keys === undefined ? "its tokens are refused until then" : "the keys before stay in use"
      log.warn({ url: shown, reason: explain(error), consequence }, "keys of an issuer can't be had")
    }
  }
  const look = (): Promise<void> => {
    lookedAt = performance.now()
    return (looking ??= lookNow().finally(() => (looking = undefined)))
  }
  const follow = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await look()
      const wait =
        failures === 0 ? jitter(times.refresh) : backoff(failures, { least: times.retry, most: times.refresh })
      await pause(wait, closing.signal)
    }
  }
  void follow()

  return {
    generation: () => generation,
    current() {
      if (keys !== undefined && performance.now() - fetchedAt > times.stale * 1000) {
        keys = undefined
        generation++
      }
      return keys
    },
    async refresh() {
      if (looking !== undefined) await looking
      else if (performance.now() - lookedAt >= times.coolDown * 1000) await look()
    },
    async close() {
      closing.abort()
      await looking
      await agent.destroy()
    },
  }
}
