import type { Credentials } from "#core/auth/credentials.ts"
import type { Selector } from "#core/promql/selector.ts"

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

/** All that requests are authenticated and authorised with; replaced as a whole, so that what is kept by it goes with it. */
export interface Policy extends Credentials<Client> {
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
