import type { Socket } from "node:net"
import { bucketsOfNetworks, networkOf } from "./networks.ts"
import { type Bucket, bucket, type Rate } from "./rate.ts"

/** Forged signatures that are looked at, each some tenths of a millisecond of CPU. */
const PER_ADDRESS: Rate = { perSecond: 20, burst: 100 }
const PER_CONNECTION: Rate = { perSecond: 5, burst: 20 }
const IN_ALL: Rate = { perSecond: 100, burst: 400 }
const MOST_PROVEN = 10_000

/**
 * How many signatures are verified in vain. Tokens that were verified before and those of a policy's list are known
 * without, so what is limited is the first request with a new token. Whoever proved something before is limited apart
 * from strangers: on the same connection from those behind the same address, from the same address from all others.
 */
export interface Verifications {
  /** What to call when the token turned out to be right; undefined where it is not to be verified now. */
  readonly begin: (socket: Pick<Socket, "remoteAddress">) => (() => void) | undefined
}

export function limitVerifications(now: () => number): Verifications {
  const all = bucket(IN_ALL, now)
  const bucketOf = bucketsOfNetworks(PER_ADDRESS, now)
  const connections = new WeakMap<object, Bucket>()
  // longest ago first
  const proven = new Set<string>()
  const prove = (socket: object, network: string): void => {
    if (!connections.has(socket)) connections.set(socket, bucket(PER_CONNECTION, now))
    proven.delete(network)
    proven.add(network)
    if (proven.size <= MOST_PROVEN) return
    const [oldest] = proven
    if (oldest !== undefined) proven.delete(oldest)
  }
  return {
    begin(socket) {
      const address = socket.remoteAddress ?? ""
      const network = networkOf(address)
      const connection = connections.get(socket)
      const own = bucketOf(address)
      const ways = [...(connection === undefined ? [] : [[connection]]), proven.has(network) ? [own] : [own, all]]
      const way = ways.find((buckets) => buckets.every((one) => one.take() === 0))
      if (way === undefined) return undefined
      return () => {
        for (const taken of way) taken.give()
        prove(socket, network)
      }
    },
  }
}
