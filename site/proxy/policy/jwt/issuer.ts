import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyResult, jwtVerify } from "jose"
import { Lru } from "../lru.ts"
import type { IssuerEntry } from "../schema.ts"
import type { Client, Identity, Issuer, Unproven } from "../types.ts"
import { readClaimed } from "./claimed.ts"
import { type Narrowed, narrow } from "./narrow.ts"
import type { KeySet } from "./remote-keys.ts"

const LONGEST_SUBJECT = 64
const KEPT_TOKENS = 10_000
const KEPT_CLAIMS = 1000
/** RFC 8725, 3.11: other tokens of the same issuer, such as ID tokens with a type of their own, are not meant for this. */
const TYPES: readonly (string | undefined)[] = [undefined, "jwt", "at+jwt", "application/jwt", "application/at+jwt"]

type Settings = Pick<IssuerEntry, "issuer" | "audience" | "algorithms" | "clock_tolerance">
interface Kept {
  readonly identity: Identity
  readonly generation: number
}

/** Verifies tokens of one issuer with its published keys, never with anything that the token itself brings. */
export function createIssuer(settings: Settings, client: Client, keys: KeySet): Issuer {
  const verified = new Lru<string, Kept>(KEPT_TOKENS)
  const claims = new Lru<string, Narrowed>(KEPT_CLAIMS)

  /** One object per claim, by which decisions are kept. */
  const narrowed = (claim: unknown): Narrowed | undefined => {
    if (claim === undefined) return { shared: client.shared }
    const key = JSON.stringify(claim)
    const known = claims.get(key) ?? narrow(client.shared, claim)
    if (known !== undefined) claims.set(key, known)
    return known
  }
  const refused = (reason: string): Unproven => ({ refused: `a token of ${client.name}: ${reason}` })

  return {
    client,
    issuer: settings.issuer,
    audience: settings.audience,
    known(sha256, now) {
      const kept = verified.get(sha256)
      if (kept === undefined) return undefined
      const valid = keys.current() !== undefined && kept.generation === keys.generation()
      if (valid && now.getTime() < kept.identity.validUntil) return kept.identity
      verified.delete(sha256)
      return undefined
    },
    doubt({ header, payload: { exp, aud } }, now) {
      const { algorithms, audience, clock_tolerance: tolerance } = settings
      // in jose's words, which says the same of those whose signature it verified
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
    async verify(token, sha256, now) {
      if (readClaimed(token)?.payload.iss !== settings.issuer) return undefined
      const outcome = await check(token, settings, keys, now)
      if (typeof outcome === "string") return refused(outcome)
      const { payload, generation } = outcome
      const what = narrowed(payload.match)
      if (what === undefined) return refused("its match is neither a selector nor a list of some")
      const validUntil = ((payload.exp ?? 0) + settings.clock_tolerance) * 1000
      const identity: Identity = { client: { ...client, ...what, ...subjectOf(payload) }, validUntil }
      verified.set(sha256, { identity, generation })
      return identity
    },
  }
}

/** What a token says, or why it proves nothing. A key that is not there may have been published a moment ago. */
async function check(
  token: string,
  settings: Settings,
  keys: KeySet,
  now: Date,
): Promise<{ readonly payload: JWTPayload; readonly generation: number } | string> {
  const first = await attempt(token, settings, keys, now)
  if (first !== "no key") return first
  await keys.refresh()
  const second = await attempt(token, settings, keys, now)
  return second === "no key" ? "its key is not among those of the issuer" : second
}

async function attempt(token: string, settings: Settings, keys: KeySet, now: Date) {
  const current = keys.current()
  if (current === undefined) return "no key"
  const generation = keys.generation()
  try {
    const { payload, protectedHeader } = await verifyWith(token, settings, current, now)
    if (protectedHeader.crit !== undefined) return "it has critical extensions"
    if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) return "its type is another"
    return { payload, generation }
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return "no key"
    // jose's messages name claims and algorithms, never values of the token
    if (error instanceof errors.JOSEError) return error.message
    if (error instanceof TypeError) return "its key does not fit its algorithm"
    throw error
  }
}

function verifyWith(token: string, settings: Settings, key: JWTVerifyGetKey, now: Date): Promise<JWTVerifyResult> {
  return jwtVerify(token, key, {
    algorithms: settings.algorithms,
    issuer: settings.issuer,
    audience: [...settings.audience],
    clockTolerance: settings.clock_tolerance,
    requiredClaims: ["exp"],
    currentDate: now,
  })
}

/** For the log: printable, and not longer than a line can take. */
function subjectOf({ sub }: JWTPayload): { subject?: string } {
  if (typeof sub !== "string" || sub === "") return {}
  return { subject: sub.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_SUBJECT) }
}
