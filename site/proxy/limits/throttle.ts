import type { Logger } from "#core/log/logger.ts"
import { bucketsOfNetworks } from "./networks.ts"
import { bucket } from "./rate.ts"

/** Failures that are answered, and logged, one by one: per address and from all together. */
const PER_ADDRESS = { perSecond: 5, burst: 20 }
const IN_ALL = { perSecond: 100, burst: 400 }
/** Milliseconds between two lines that tell how many were throttled. */
const REPORT = 10_000

/**
 * Counts failed authentications. It is asked after a failure only, so whoever has a valid credential never notices,
 * whatever else comes from the same address.
 */
export interface Throttle {
  /** Seconds to wait; 0 where the failure is to be answered as such. */
  failed(address: string | undefined): number
  close(): void
}

export function throttleFailures(now: () => number, log: Logger): Throttle {
  const all = bucket(IN_ALL, now)
  const bucketOf = bucketsOfNetworks(PER_ADDRESS, now)
  let throttled = 0
  let timer: NodeJS.Timeout | undefined
  const report = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (throttled > 0)
      log.warn({ requests: throttled }, "refused requests without a valid token, unlogged, as too many")
    throttled = 0
  }
  return {
    close: report,
    failed(address) {
      const wait = bucketOf(address ?? "").take() || all.take()
      if (wait === 0) return 0
      throttled++
      timer ??= setTimeout(report, REPORT).unref()
      return wait
    },
  }
}
