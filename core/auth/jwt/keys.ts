import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from "jose"
import { ConfigurationError } from "#core/errors.ts"

/** Public keys of an issuer. */
export interface KeySet {
  /** Another one after each change: what the previous ones verified is no longer valid. Undefined: there are none. */
  current(): JWTVerifyGetKey | undefined
  /** Waits for a request that is under way, and requests the keys again unless that was done a moment ago. */
  refresh(): Promise<void>
}

const MOST_KEYS = 100
const ASYMMETRIC = new Set(["RSA", "EC", "OKP"])

/** Why a text is no set of public keys; a half sentence. */
export class BadKeys extends Error {}

/** The public keys in a JWKS (RFC 7517); others in it are left out, so that none can serve as a shared secret. Throws BadKeys. */
export function parseKeys(text: string): JWTVerifyGetKey {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadKeys("is not JSON")
  }
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined
  if (!Array.isArray(keys)) throw new BadKeys("is no JWKS: it has no list called keys")
  if (keys.length > MOST_KEYS) throw new BadKeys(`holds more than ${MOST_KEYS} keys`)
  const usable = keys.filter(isPublicKey)
  if (usable.length === 0) throw new BadKeys("holds no public key for RSA, EC or OKP signatures")
  return createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet)
}

function isPublicKey(key: unknown): key is JWK {
  if (typeof key !== "object" || key === null || !("kty" in key)) return false
  return typeof key.kty === "string" && ASYMMETRIC.has(key.kty) && !("d" in key)
}

/** The keys in the text of `file`, which is named at `where`. Throws ConfigurationError where there are none. */
export function keysOfFile(text: string, file: string, where: string): KeySet {
  try {
    const keys = parseKeys(text)
    return { current: () => keys, refresh: () => Promise.resolve() }
  } catch (error) {
    if (!(error instanceof BadKeys)) throw error
    throw new ConfigurationError([{ where, message: `${file}: ${error.message}` }])
  }
}
