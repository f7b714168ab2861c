import { isIPv6 } from "node:net"
import { type Bucket, bucket, type Rate } from "./rate.ts"

const MOST_NETWORKS = 10_000

/** The bucket of the network that an address is in; of too many networks, those that were seen last have one. */
export function bucketsOfNetworks(rate: Rate, now: () => number): (address: string) => Bucket {
  // oldest use first
  const buckets = new Map<string, Bucket>()
  return (address) => {
    const network = networkOf(address)
    const own = buckets.get(network) ?? bucket(rate, now)
    buckets.delete(network)
    buckets.set(network, own)
    if (buckets.size > MOST_NETWORKS) {
      const [oldest] = buckets.keys()
      if (oldest !== undefined) buckets.delete(oldest)
    }
    return own
  }
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
