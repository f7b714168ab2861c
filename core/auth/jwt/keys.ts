import { createPublicKey } from "node:crypto"
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from "jose"
import { ConfigurationError, explain } from "#core/errors.ts"

/** Public keys of an issuer. */
export interface KeySet {
  /** Another one after each change: what the previous ones verified is no longer valid. Undefined: there are none. */
  current(): JWTVerifyGetKey | undefined
  /** Waits for a request that is under way, and requests the keys again unless that was done a moment ago. */
  refresh(): Promise<void>
}

/** The keys of a set that can be used, and of each other one of its kind why not. */
export interface ParsedKeys {
  readonly find: JWTVerifyGetKey
  readonly unusable: readonly string[]
}

const MOST_KEYS = 100
/** Of an RSA key. */
const LEAST_BITS = 2048
const ASYMMETRIC = new Set(["RSA", "EC", "OKP"])

/** Why a text is no set of public keys; a half sentence. */
export class BadKeys extends Error {}

/** The public keys in a JWKS (RFC 7517); others in it are left out, so that none can serve as a shared secret. Throws BadKeys. */
export function parseKeys(text: string): ParsedKeys {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BadKeys("is not JSON")
  }
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined
  if (!Array.isArray(keys)) throw new BadKeys("is no JWKS: it has no list called keys")
  if (keys.length > MOST_KEYS) throw new BadKeys(`holds more than ${MOST_KEYS} keys`)
  const usable: JWK[] = []
  const unusable: string[] = []
  for (const [index, key] of keys.entries()) {
    if (!isAsymmetric(key)) continue
    const problem = problemOf(key)
    if (problem === undefined) usable.push(key)
    else unusable.push(`keys[${index}]${showId(key)} ${problem}`)
  }
  if (usable.length === 0) {
    const reasons = unusable.map((reason) => `; ${reason}`).join("")
    throw new BadKeys(`holds no public key for RSA, EC or OKP signatures${reasons}`)
  }
  return { find: createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet), unusable }
}

function isAsymmetric(key: unknown): key is JWK {
  if (typeof key !== "object" || key === null || !("kty" in key)) return false
  return typeof key.kty === "string" && ASYMMETRIC.has(key.kty)
}

/** Found out here: a damaged key would fail at every token that names it. */
function problemOf(key: JWK): string | undefined {
  if ("d" in key) return "is a private key, which must not be published"
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: "jwk" })
    // RFC 7518, 3.3; undefined for keys that are not RSA
    const bits = asymmetricKeyDetails?.modulusLength ?? LEAST_BITS
    return bits < LEAST_BITS ? `is damaged or weak: it has ${bits} bits, ${LEAST_BITS} are needed` : undefined
  } catch (error) {
    return `is damaged: ${explain(error)}`
  }
}

function showId({ kid }: JWK): string {
  return typeof kid === "string" ? ` (kid ${JSON.stringify(kid.slice(0, 64))})` : ""
}

/** The keys in the text of `file`, which is named at `where`. Throws ConfigurationError where there are none. */
export function keysOfFile(text: string, file: string, where: string): KeySet & Pick<ParsedKeys, "unusable"> {
  try {
    const { find, unusable } = parseKeys(text)
    return { current: () => find, refresh: () => Promise.resolve(), unusable }
  } catch (error) {
    if (!(error instanceof BadKeys)) throw error
    throw new ConfigurationError([{ where, message: `${file}: ${error.message}` }])
  }
}
