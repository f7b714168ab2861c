import { generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto"
import { type JWTPayload, SignJWT } from "jose"
import { sha256 } from "../secrets.ts"
import type { Owner } from "../owner.ts"
import { createIssuer, type OwnerOf } from "./issuer.ts"
import { type KeySet, parseKeys } from "./keys.ts"

export const NOW = new Date("2026-11-21T12:00:00Z")
export const SECONDS = NOW.getTime() / 1000
export const OWNER = { name: "central" }
export const CLAIMS = { iss: "https://portal.example.org", aud: "site-a", exp: SECONDS + 600 }

export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
export const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
export const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" })
export const published = (key: KeyObject, kid: string): JsonWebKey & { kid: string } => ({
  ...key.export({ format: "jwk" }),
  kid,
})
export const KEYS = [published(rsa.publicKey, "r"), published(ec.publicKey, "e")]

export function keySet(keys: readonly object[] = KEYS) {
  let current = parseKeys(JSON.stringify({ keys })).find
  const set: KeySet & { replace(keys: readonly object[]): void } = {
    current: () => current,
    refresh: () => Promise.resolve(),
    replace(next) {
      current = parseKeys(JSON.stringify({ keys: next })).find
    },
  }
  return set
}

const SETTINGS = {
  issuer: CLAIMS.iss,
  audience: ["site-a", "all-sites"],
  algorithms: ["RS256", "ES256", "EdDSA"] as const,
  clock_tolerance: 30,
}
export const issuerWith = (keys = keySet(), ownerOf?: OwnerOf<Owner>) =>
  createIssuer({ ...SETTINGS, algorithms: [...SETTINGS.algorithms] }, OWNER, keys, ownerOf)

export const sign = (claims: JWTPayload = CLAIMS, header: object = {}, key: KeyObject = ec.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "e", ...header }).sign(key)
/** What a library would not sign: any header, any claims, any signature. */
export function forge(header: object, claims: unknown, signature?: (body: string) => string): string {
  const body = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")
  return `${body}.${signature?.(body) ?? ""}`
}

export async function outcome(token: string, keys = keySet(), now = NOW): Promise<string> {
  const result = await issuerWith(keys).verify(token, sha256(token).toString("base64"), now)
  return "owner" in result ? `${result.owner.name} until ${new Date(result.validUntil).toISOString()}` : result.reason
}

export const VALID = "central until 2026-11-21T12:10:30.000Z"
export const UNKNOWN_KEY = "a token of central: its key is not among those of the issuer"
