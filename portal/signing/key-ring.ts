import type { Algorithm } from "./algorithms.ts"
import { createKey, type Key, publicPart } from "./key.ts"

/** All keys: at most one signs, at most one is the next. */
export interface KeyRing {
  readonly keys: readonly Key[]
  /** The last request for a rotation that was served. */
  readonly served?: string | undefined
}

/** Seconds that a key is published before it signs. */
export const LEAD = 600
/** Seconds after its creation when a key signs also where a site does not know it: fedstack's proxies keep no key for longer. */
export const BOUND = 86_400
/** Seconds that tokens may be accepted after their end: the largest clock_tolerance of a policy. */
export const TOLERANCE = 300
export const MOST_KEYS = 3

/** A wish of `fedstack token rotate`. */
export interface Rotation {
  readonly id: string
  /** Signs with a new key at once. */
  readonly now: boolean
  /** No longer publishes the others: what they signed is refused as soon as the sites have looked. */
  readonly dropOld: boolean
}

export interface Circumstances {
  /** Seconds of Unix time. */
  readonly now: number
  readonly alg: Algorithm
  /** Of tokens, in seconds. */
  readonly lifetime: number
  /** Seconds that a key signs; 0: until a rotation is wished. */
  readonly keyAge: number
  readonly rotation?: Rotation | undefined
  /** Whether sites that were tried lately refuse the next key, though they accept the one that signs. */
  readonly isRefused: (kid: string) => boolean
}

export const signingKey = ({ keys }: KeyRing): Key | undefined => keys.find(({ state }) => state === "signing")
export const nextKey = ({ keys }: KeyRing): Key | undefined => keys.find(({ state }) => state === "next")

/** The first key of a portal: no site knows another, so that nothing is gained by waiting. */
export async function firstRing({ alg, now }: Pick<Circumstances, "alg" | "now">): Promise<KeyRing> {
  return { keys: [{ ...(await createKey(alg, now)), state: "signing" }] }
}

/**
 * After all keys were lost but their public parts: a new one is published and waits as every next key does. Tokens that the
 * lost ones signed stay valid until they end.
 */
export async function ringAfterLoss(lost: readonly Key[], about: Circumstances): Promise<KeyRing> {
  const { now, alg, lifetime } = about
  const kept = lost.slice(0, MOST_KEYS - 1).map((key): Key => retired(key, now, lifetime))
  return { keys: [await createKey(alg, now), ...kept] }
}

const retired = (key: Key, now: number, lifetime: number): Key => ({
  ...key,
  jwk: publicPart(key.jwk),
  state: "retired",
  since: key.state === "retired" ? key.since : now,
  until: key.until ?? now + lifetime + TOLERANCE,
})

/** The keys as they are to be now; the same object where nothing changes. */
export async function advance(ring: KeyRing, about: Circumstances): Promise<KeyRing> {
  const { now, rotation, alg } = about
  const pruned = withoutEnded(ring, now)
  if (rotation !== undefined && rotation.id !== ring.served) return serve(pruned, rotation, about)
  const next = nextKey(pruned)
  if (next !== undefined) return isDue(next, pruned, about) ? switchTo(next, pruned, about) : pruned
  if (!isOld(signingKey(pruned), about)) return pruned
  return withNext(pruned, alg, now)
}

/** Waits while there are as many as there may be: the oldest ends in little more than the life of a token. */
const withNext = async (ring: KeyRing, alg: Algorithm, now: number): Promise<KeyRing> =>
  ring.keys.length >= MOST_KEYS ? ring : { ...ring, keys: [...ring.keys, await createKey(alg, now)] }

function withoutEnded(ring: KeyRing, now: number): KeyRing {
  const keys = ring.keys.filter(({ until = Infinity }) => until > now)
  return keys.length === ring.keys.length ? ring : { ...ring, keys }
}

/** So that the next one has been published for long enough when this one has its age. */
const isOld = (key: Key | undefined, { now, keyAge }: Circumstances): boolean =>
  key === undefined || (keyAge > 0 && now >= key.since + keyAge - LEAD)

function isDue({ kid, created }: Key, ring: KeyRing, { now, isRefused }: Circumstances): boolean {
  if (now < created + LEAD) return false
  // without a key that signs there are no tokens at all
  return signingKey(ring) === undefined || now >= created + BOUND || !isRefused(kid)
}

function switchTo(next: Key, ring: KeyRing, { now, lifetime }: Circumstances): KeyRing {
  const others = ring.keys.filter(({ kid }) => kid !== next.kid)
  const kept = others.map((key) => (key.state === "signing" ? retired(key, now, lifetime) : key))
  const newestFirst = kept.toSorted((a, b) => b.since - a.since)
  return { ...ring, keys: [{ ...next, state: "signing", since: now }, ...newestFirst.slice(0, MOST_KEYS - 1)] }
}

async function serve(ring: KeyRing, { id, now: atOnce, dropOld }: Rotation, about: Circumstances): Promise<KeyRing> {
  const { now, alg } = about
  const next = nextKey(ring)
  if (!atOnce) {
    // one that is under way is what was wished
    if (next !== undefined) return { ...ring, served: id }
    const begun = await withNext(ring, alg, now)
    return begun === ring ? ring : { ...begun, served: id }
  }
  // a reader of one key on the disk reads the next one too
  if (dropOld) return { keys: [{ ...(await createKey(alg, now)), state: "signing" }], served: id }
  return switchTo(next ?? (await createKey(alg, now)), { ...ring, served: id }, about)
}
