import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from "jose"

const LONGEST_TOKEN = 8192

/** What a token says of itself; nothing of it is proven. */
export interface Claimed {
  readonly header: ProtectedHeaderParameters
  readonly payload: JWTPayload
}

/** Undefined for what only looks like a JWT, and for a very long one. */
export function readClaimed(token: string): Claimed | undefined {
  if (token.length > LONGEST_TOKEN) return undefined
  try {
    return { header: decodeProtectedHeader(token), payload: decodeJwt(token) }
  } catch {
    return undefined
  }
}
