import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from "jose"

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
