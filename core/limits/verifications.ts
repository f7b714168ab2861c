import type { Socket } from "node:net"
import { LRUCache } from "lru-cache"
import { bucketsByNetwork, MOST_NETWORKS, networkOf } from "./networks.ts"
import { type Rate, type TokenBucket, tokenBucket } from "./token-bucket.ts"

/** Forged signatures that are verified, each some tenths of a millisecond of CPU. */
const PER_ADDRESS: Rate = { perSecond: 20, burst: 100 }
const PER_CONNECTION: Rate = { perSecond: 5, burst: 20 }
const IN_ALL: Rate = { perSecond: 100, burst: 400 }

/** What to call when the token turned out to be valid; undefined where it is not to be verified now. */
export type BeginVerification = (socket: Pick<Socket, "remoteAddress">) => (() => void) | undefined

/**
 * How many signatures are verified in vain. Tokens that were verified before and static ones need no verification, so
 * what is limited is the first request with a new token. A client that sent a valid token before is limited apart from
 * strangers: on the same connection from those behind the same address, from the same address from all others.
 */
export function limitVerifications(now: () => number): BeginVerification {
  const all = tokenBucket(IN_ALL, now)
  const bucketOf = bucketsByNetwork(PER_ADDRESS, now)
  const connections = new WeakMap<object, TokenBucket>()
  const proven = new LRUCache<string, true>({ max: MOST_NETWORKS })
  return (socket) => {
    const address = socket.remoteAddress ?? ""
    const network = networkOf(address)
    const connection = connections.get(socket)
    const own = bucketOf(address)
    const alternatives = [
      ...(connection === undefined ? [] : [[connection]]),
      proven.get(network) === true ? [own] : [own, all],
    ]
    const taken = alternatives.find((buckets) => buckets.every((bucket) => bucket.take() === 0))
    if (taken === undefined) return undefined
    return () => {
      for (const bucket of taken) bucket.give()
      if (!connections.has(socket)) connections.set(socket, tokenBucket(PER_CONNECTION, now))
      proven.set(network, true)
    }
  }
}
