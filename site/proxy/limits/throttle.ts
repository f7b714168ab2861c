import { isIPv6 } from "node:net"
import type { Logger } from "#core/log.ts"
import { type Bucket, bucket } from "./rate.ts"

/** Failures that are answered, and logged, one by one: per address and from all together. */
const PER_ADDRESS = { perSecond: 5, burst: 20 }
const IN_ALL = { perSecond: 100, burst: 400 }
const MOST_ADDRESSES = 10_000
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
  const all = bucket(IN_ALL.perSecond, IN_ALL.burst, now)
  // oldest use first
  const buckets = new Map<string, Bucket>()
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
      const network = networkOf(address ?? "")
      const own = buckets.get(network) ?? bucket(PER_ADDRESS.perSecond, PER_ADDRESS.burst, now)
      buckets.delete(network)
      buckets.set(network, own)
      if (buckets.size > MOST_ADDRESSES) {
        const [oldest] = buckets.keys()
        if (oldest !== undefined) buckets.delete(oldest)
      }
      const wait = own.take() || all.take()
      if (wait === 0) return 0
      throttled++
      timer ??= setTimeout(report, REPORT).unref()
      return wait
    },
  }
}

/** An IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [plain = ""] = address.split("%", 1)
  if (!isIPv6(plain)) return address
  const [head = "", tail] = plain.split("::", 2)
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0")
  const groups = [...before, ...zeros, ...after].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`
}

function groupsOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]))
}
