/**
 * This room: who sends a request? Static tokens with dates, tokens signed by an issuer, client certificates. It knows
 * nothing of what their owner may do: an owner is whatever a component hands out rights to, of which it sees the name.
 */
import type { JWTPayload } from "jose"
import type { KeySet } from "./jwt/keys.ts"
import type { UnverifiedToken } from "./jwt/unverified.ts"

/** Whom credentials belong to. */
export interface Owner {
  /** For the log and for messages. */
  readonly name: string
}

/** A static token, by its hash. */
export interface TokenCredential<O extends Owner> {
  readonly sha256: Buffer
  readonly owner: O
  readonly validFrom?: Date | undefined
  readonly notAfter?: Date | undefined
  /** Where it was written: `policy.yaml:4:5 tokens[0].sha256[0]`. */
  readonly where: string
}

/** A trusted issuer of signed tokens. Keeps verified ones for as long as they and its keys are valid. */
export interface Issuer<O extends Owner> {
  readonly owner: O
  readonly issuer: string
  readonly audience: readonly string[]
  readonly keys: KeySet
  /** The identity that the token with this hash was verified for; undefined where it has to be verified first. */
  known(sha256: string, now: Date): Identity<O> | undefined
  /** Why a token of this issuer is not valid whatever its signature; undefined where the signature decides. */
  precheck(token: UnverifiedToken, now: Date): Refusal | undefined
  verify(token: string, sha256: string, now: Date): Promise<Authentication<O>>
}

/** The owner of a token by its verified claims; a text: why the token is refused. */
export type OwnerOf<O extends Owner> = (claims: JWTPayload) => O | string

/** The owner of client certificates with one of these names. */
export interface CertificateRule<O extends Owner> {
  readonly owner: O
  /** `DNS:a.example.org`, `URI:spiffe://…`, `email:a@example.org`, `CN:name`. */
  readonly names: readonly string[]
}

/** All that requests are authenticated with; replaced as a whole. */
export interface Credentials<O extends Owner> {
  readonly tokens: readonly TokenCredential<O>[]
  readonly issuers: readonly Issuer<O>[]
  readonly certificates: readonly CertificateRule<O>[]
}

/** Who sends a request, and until when (milliseconds since 1970) that holds without authenticating again. */
export interface Identity<O extends Owner> {
  readonly owner: O
  readonly validUntil: number
}

/** Why a request was not authenticated, for the log; the client learns only that it was refused. */
export interface Refusal {
  readonly reason: string
  /** The token was not verified and may be valid; too many others were not. */
  readonly throttled?: boolean
}

export type Authentication<O extends Owner> = Identity<O> | Refusal
