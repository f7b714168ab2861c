import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from "jose"

const LONGEST_TOKEN = 8192

/** What a token claims, before its signature was verified. */
export interface UnverifiedToken {
  readonly header: ProtectedHeaderParameters
  readonly payload: JWTPayload
}

/** Undefined for what only looks like a JWT, and for a very long one. */
export function readUnverified(token: string): UnverifiedToken | undefined {
  if (token.length > LONGEST_TOKEN) return undefined
  try {
    return { header: decodeProtectedHeader(token), payload: decodeJwt(token) }
  } catch {
    return undefined
  }
}
