import { randomBytes } from "node:crypto"
import { SignJWT } from "jose"
import type { Key } from "./key.ts"

/** What a token says beside its times. */
export interface Claims {
  /** As sites have it in their policies, letter for letter. */
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** Narrows what the site's policy allows. */
  readonly match?: readonly string[] | undefined
}

/** Seconds by which a site's clock may be behind. */
const EARLIER = 30

export interface MintedToken {
  readonly token: string
  /** Of the key that signed it. */
  readonly kid: string
  /** Seconds of Unix time. */
  readonly issued: number
  readonly expires: number
}

/** A token (RFC 9068) that is valid for `lifetime` seconds from `now` on, in whole seconds of Unix time. */
export async function mint(key: Key, claims: Claims, lifetime: number, now: number): Promise<MintedToken> {
  const { issuer, subject, audience, match } = claims
  const { kid, alg, jwk } = key
  const issued = Math.floor(now)
  const expires = issued + Math.floor(lifetime)
  const token = await new SignJWT(match === undefined ? {} : { match })
    .setProtectedHeader({ alg, kid, typ: "at+jwt" })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience)
    .setIssuedAt(issued)
    .setNotBefore(issued - EARLIER)
    .setExpirationTime(expires)
    .setJti(randomBytes(12).toString("base64url"))
    .sign(jwk)
  return { token, kid, issued, expires }
}
