import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  type JWTVerifyOptions,
  type ProtectedHeaderParameters,
} from "jose"
import { LRUCache } from "lru-cache"
import type { Authentication, Identity, Owner, Refusal } from "../owner.ts"
import type { IssuerEntry } from "../schema.ts"
import type { KeySet } from "./keys.ts"

/** Bytes of all tokens that are kept as verified: some 15,000 usual ones. */
const VERIFIED_BYTES = 32_000_000
/** RFC 8725, 3.11: other tokens of the same issuer, such as ID tokens with a type of their own, are not meant for this. */
const TYPES: readonly (string | undefined)[] = [undefined, "jwt", "at+jwt", "application/jwt", "application/at+jwt"]

const NO_KEY = "its key is not among those of the issuer"
const WRONG_SIGNATURE = new errors.JWSSignatureVerificationFailed().message
/** Keys that one token is verified with, where it does not say which. */
const MOST_TRIED = 8

/** The owner of a token by its verified claims; a text: why the token is refused. */
export type OwnerOf<O extends Owner> = (claims: JWTPayload) => O | string

export type Issuer<O extends Owner> = ReturnType<typeof createIssuer<O>>

/** Verifies tokens of one issuer with its published keys, never with anything that the token itself brings. Keeps verified
 * ones for as long as they and its keys are valid. */
export function createIssuer<O extends Owner>(
  settings: Pick<IssuerEntry, "issuer" | "audience" | "algorithms" | "clock_tolerance">,
  owner: O,
  keys: KeySet,
  ownerOf: OwnerOf<O> = () => owner,
) {
  const { algorithms, audience, clock_tolerance: tolerance } = settings
  const verified = new LRUCache<
    string,
    { readonly identity: Identity<O>; readonly key: JWTVerifyGetKey; readonly size: number }
  >({
    maxSize: VERIFIED_BYTES,
    sizeCalculation: ({ size }) => size,
  })
  const refused = (reason: string): Refusal => ({ reason: `a token of ${owner.name}: ${reason}` })

  /** The claims of a valid token with the keys that verified it, or why it is not valid. */
  async function check(token: string, currentDate: Date) {
    const key = keys.current()
    if (key === undefined) return NO_KEY
    const options = {
      algorithms,
      issuer: settings.issuer,
      audience: [...audience],
      clockTolerance: tolerance,
      requiredClaims: ["exp"],
      currentDate,
    }
    try {
      const { payload, protectedHeader } = await verifyWithAny(token, key, options)
      if (protectedHeader.crit !== undefined) return "it has critical extensions"
      if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) return "its type is another"
      return { payload, key }
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return NO_KEY
      // jose's messages name claims and algorithms, never values of the token
      if (error instanceof errors.JOSEError) return error.message
      // whatever the issuer publishes, a stranger's token only fails
      if (error instanceof TypeError || error instanceof DOMException) return "its key does not fit its algorithm"
      throw error
    }
  }

  return {
    owner,
    issuer: settings.issuer,
    audience,
    keys,
    /** The identity that the token with this hash was verified for; undefined where it has to be verified first. */
    known(sha256: string, now: Date): Identity<O> | undefined {
      const kept = verified.get(sha256)
      if (kept === undefined) return undefined
      if (kept.key === keys.current() && now.getTime() < kept.identity.validUntil) return kept.identity
      verified.delete(sha256)
      return undefined
    },
    /** Why a token of this issuer is not valid whatever its signature; undefined where the signature decides. */
    precheck({ header, payload: { exp, aud } }: UnverifiedToken, now: Date): Refusal | undefined {
      // in the words of jose, which checks the same where it verifies the signature
      if (!algorithms.some((algorithm) => algorithm === header.alg)) {
        return refused('"alg" (Algorithm) Header Parameter value not allowed')
      }
      if (typeof exp === "number" && exp <= now.getTime() / 1000 - tolerance) {
        return refused('"exp" claim timestamp check failed')
      }
      if (aud !== undefined && ![aud].flat().some((one) => audience.includes(one))) {
        return refused('unexpected "aud" claim value')
      }
      return undefined
    },
    async verify(token: string, sha256: string, now: Date): Promise<Authentication<O>> {
      const before = keys.current()
      let result = await check(token, now)
      // a key that is not there, or another of its name, may have been published a moment ago
      if (result === NO_KEY || result === WRONG_SIGNATURE) {
        await keys.refresh()
        if (keys.current() !== before) result = await check(token, now)
      }
      if (typeof result === "string") return refused(result)
      const { payload, key } = result
      const own = ownerOf(payload)
      if (typeof own === "string") return refused(own)
      const identity = { owner: own, validUntil: ((payload.exp ?? 0) + tolerance) * 1000 }
      // the owner may keep the claims
      verified.set(sha256, { identity, key, size: 800 + 2 * token.length })
      return identity
    },
  }
}

/** With each key that a token without `kid`, or with one of several keys, may have been signed with. */
async function verifyWithAny(token: string, find: JWTVerifyGetKey, options: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, find, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let tried = 0
    for await (const key of error) {
      if (++tried > MOST_TRIED) throw new errors.JWKSInvalid(`more than ${MOST_TRIED} keys fit it: it needs a kid`)
      try {
        return await jwtVerify(token, key, options)
      } catch (failure) {
        const another = failure instanceof errors.JWSSignatureVerificationFailed || failure instanceof TypeError
        if (!another) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** What a token claims, before its signature was verified. */
export interface UnverifiedToken {
  readonly header: ProtectedHeaderParameters
  readonly payload: JWTPayload
}

/** Undefined for what only looks like a JWT. */
export function readUnverified(token: string): UnverifiedToken | undefined {
  try {
    return { header: decodeProtectedHeader(token), payload: decodeJwt(token) }
  } catch {
    return undefined
  }
}
