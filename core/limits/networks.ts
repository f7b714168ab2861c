import { isIPv6 } from "node:net"
import { LRUCache } from "lru-cache"
import { type Rate, type TokenBucket, tokenBucket } from "./token-bucket.ts"

/** Networks that something is remembered of: those that were seen last. */
export const MOST_NETWORKS = 10_000

/** The token bucket of the network that an address is in. */
export function bucketsByNetwork(rate: Rate, now: () => number): (address: string) => TokenBucket {
  const memoMethod = (): TokenBucket => tokenBucket(rate, now)
  const buckets = new LRUCache<string, TokenBucket>({ max: MOST_NETWORKS, memoMethod })
  return (address) => buckets.memo(networkOf(address))
}

/** An IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address
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
