import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose"
import type { Algorithm } from "./algorithms.ts"

/** A key pair as it is kept. Times are seconds of Unix time. */
export interface Key {
  /** Its thumbprint (RFC 7638), which every token that it signed names. */
  readonly kid: string
  readonly alg: Algorithm
  /** Since when it is published. */
  readonly created: number
  /** `next`: published, so that sites learn it, and signs nothing yet. `retired`: signs nothing more. */
  readonly state: "next" | "signing" | "retired"
  /** Since when it is in that state. */
  readonly since: number
  /** Until when a retired one is published. */
  readonly until?: number
  /** Without its private part for a retired one, whose tokens are only verified. */
  readonly jwk: JWK
}

export async function createKey(alg: Algorithm, now: number): Promise<Key> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { kid: await calculateJwkThumbprint(jwk), alg, created: now, state: "next", since: now, jwk }
}

/** Named one by one, so that a private part cannot be published by oversight. */
export function publicPart({ kty, crv, x, y }: JWK): JWK {
  return { ...(kty && { kty }), ...(crv && { crv }), ...(x && { x }), ...(y && { y }) }
}

/** As it is published (RFC 7517). */
export const publicKey = ({ kid, alg, jwk }: Key): JWK => ({ ...publicPart(jwk), kid, alg, use: "sig" })
