import type { Selector } from "#core/promql/selector.ts"
import type { Claimed } from "./jwt/claimed.ts"

/** One selector that a client may read. */
export interface Shared {
  readonly selector: Selector
  /** Where it was written: `policy.yaml:12:7 tokens[0].match[1]` or `--allow`. */
  readonly where: string
}

/** What one client may take; Infinity: as much as it likes. */
export interface ClientLimits {
  /** Requests under way at once. */
  readonly concurrent: number
  readonly requestsPerSecond: number
  /** Bytes of an answer, as it is sent. */
  readonly responseBytes: number
  readonly series: number
  /** Seconds for a whole answer from upstream. */
  readonly upstreamTimeout: number
}

/**
 * Who may read what. Entries of a policy have one object each; a token of an issuer has its own where its claims narrow
 * what the issuer's entry shares. Equal names share limits and metrics.
 */
export interface Client {
  /** Stands in logs, metrics and messages; as many as there are entries in the policy, whatever tokens say. */
  readonly name: string
  readonly shared: readonly Shared[]
  /** Its requests get the shared matchers added instead of being refused. */
  readonly enforce: boolean
  readonly limits: ClientLimits
  /** Where it was written: `policy.yaml:4:5 tokens[0]`. */
  readonly where: string
  /** The `sub` of its token for the audit line, printable and cut. */
  readonly subject?: string
  /** Why the token's own `match` claim gave less than it asked, for the audit line. */
  readonly notGranted?: string
}

/** A token of the policy, by its hash. */
export interface TokenCredential {
  readonly sha256: Buffer
  readonly client: Client
  readonly validFrom?: Date
  readonly notAfter?: Date
  readonly where: string
}

/** Whoever is trusted to sign tokens. Keeps verified ones for as long as they and its keys are valid. */
export interface Issuer {
  readonly client: Client
  readonly issuer: string
  readonly audience: readonly string[]
  /** What a token with this hash proves, where it was verified before; undefined where it must be verified first. */
  known(sha256: string, now: Date): Identity | undefined
  /** Why a token of this issuer can't be right, whatever its signature; undefined where that decides. */
  doubt(claimed: Claimed, now: Date): Unproven | undefined
  /** Undefined for a token of another issuer. */
  verify(token: string, sha256: string, now: Date): Promise<Identity | Unproven | undefined>
}

/** A client certificate with one of these names is that client. */
export interface CertificateRule {
  readonly client: Client
  /** `DNS:a.example.org`, `URI:spiffe://…`, `email:a@example.org`, `CN:name`. */
  readonly names: readonly string[]
}

/** Who asks, and until when (milliseconds since 1970) the proof of it may be taken without another look. */
export interface Identity {
  readonly client: Client
  readonly validUntil: number
}

/** Why nobody was recognised, for the audit line; whoever asks learns only that it was refused. */
export interface Unproven {
  readonly refused: string
  /** It was not even looked at, and may be right another time. */
  readonly throttled?: boolean
}

/** All that authentication and authorisation know; replaced as a whole, so that what is kept by it goes with it. */
export interface Policy {
  readonly tokens: readonly TokenCredential[]
  readonly issuers: readonly Issuer[]
  readonly certificates: readonly CertificateRule[]
  /** One per entry. */
  readonly clients: readonly Client[]
  /** Tried in order; may carry a path prefix, without a slash at the end. */
  readonly upstreams: readonly [URL, ...URL[]]
  /** What is asked upstream, below the prefix: `/federate`. */
  readonly path: string
  /** Seconds that an answer serves; 0: only concurrent equal requests share one. */
  readonly reuse: number
  /** Bytes that stored answers may take in all. */
  readonly memory: number
}
