import { createSecureContext } from "node:tls"
import type { JWTVerifyGetKey } from "jose"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { openAgent } from "#core/http/agent.ts"
import { fetchText } from "#core/http/client.ts"
import { trusting } from "#core/http/tls-files.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, jitter, pause } from "#core/retry/backoff.ts"
import { BadKeys, type KeySet, type ParsedKeys, parseKeys } from "./keys.ts"

/** Where no issuer is to be contacted. */
export const noKeys: KeySet & Closable = {
  current: () => undefined,
  refresh: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

/** Seconds. */
export const KEY_TIMES = {
  /** Between two requests for the keys. */
  refresh: 300,
  /** Until a token with an unknown key may cause another request. */
  coolDown: 30,
  /** Until a failed request is repeated; doubled each time up to `refresh`. */
  retry: 1,
  /** That keys are used when no newer ones can be fetched. */
  stale: 86_400,
  /** For one request. */
  deadline: 5,
}
export type KeyTimes = Readonly<typeof KEY_TIMES>
const LARGEST = 1_048_576

/** Fetches the keys of an issuer now and again, until it is closed. Failures are logged and keep the previous keys. */
export function followKeys(
  url: URL,
  ca: string | undefined,
  log: Logger,
  times: KeyTimes = KEY_TIMES,
): KeySet & Closable {
  const secureContext = ca === undefined ? undefined : createSecureContext(trusting(ca))
  const agent = openAgent({ connections: 1, connectTimeout: times.deadline, secureContext })
  const closing = new AbortController()
  const shown = `${url.origin}${url.pathname}`
  let keys: JWTVerifyGetKey | undefined
  let text = ""
  let failures = 0
  let fetchedAt = 0
  let requestedAt = -Infinity
  let underWay: Promise<void> | undefined

  const use = ({ find, unusable }: ParsedKeys): void => {
    keys = find
    if (unusable.length === 0) return
    log.warn(
      { url: shown, unusable },
      "an issuer publishes keys that cannot be used, refusing the tokens of these alone",
    )
  }
  const renew = async (): Promise<void> => {
    try {
      const { status, body } = await fetchText(url, {
        deadline: times.deadline,
        limit: LARGEST,
        dispatcher: agent,
        signal: closing.signal,
        headers: { accept: "application/json" },
      })
      // a redirect too: it could lead anywhere
      if (status !== 200) throw new BadKeys(`the response has the status ${status}`)
      if (body !== text || keys === undefined) use(parseKeys(body))
      if (failures > 0) log.info({ url: shown }, "keys of an issuer fetched again")
      text = body
      fetchedAt = performance.now()
      failures = 0
    } catch (error) {
      if (closing.signal.aborted) return
      failures++
      const consequence = keys === undefined ? "refusing its tokens" : "keeping the previous ones"
      log.warn({ url: shown, reason: explain(error) }, `fetching the keys of an issuer failed, ${consequence}`)
    }
  }
  const renewOnce = (): Promise<void> => {
    requestedAt = performance.now()
    return (underWay ??= renew().finally(() => (underWay = undefined)))
  }
  const follow = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await renewOnce()
      const { refresh: most, retry: least } = times
      await pause(failures === 0 ? jitter(most) : backoff(failures, { least, most }), closing.signal)
    }
  }
  void follow()

  return {
    current() {
      if (performance.now() - fetchedAt > times.stale * 1000) keys = undefined
      return keys
    },
    async refresh() {
      if (underWay !== undefined) await underWay
      else if (performance.now() - requestedAt >= times.coolDown * 1000) await renewOnce()
    },
    async close() {
      closing.abort()
      await underWay
      await agent.destroy()
    },
  }
}
