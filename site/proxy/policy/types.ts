import type { Credentials } from "#core/auth/authenticate.ts"
import type { Fault } from "#core/errors.ts"
import type { RequestLimits } from "#core/limits/client-limits.ts"
import type { Principal } from "#core/promql/authorize.ts"
import type { Accesses } from "../upstream/access.ts"

/** Of one client; Infinity: without limit. */
export interface ClientLimits extends RequestLimits {
  /** Bytes of a response as it is sent. */
  readonly responseBytes: number
  readonly series: number
  /** Seconds for a whole response from upstream. */
  readonly upstreamTimeout: number
  /** Of a request, and of the one upstream. */
  readonly selectors: number
  readonly selectorCharacters: number
}

/**
 * Who may read what. There is one for each entry of a policy; a token of an issuer has its own where its claims narrow
 * what the issuer's entry shares. Equal names share limits and metrics, and stand in logs and messages: there are as many
 * as entries in the policy, whatever tokens claim.
 */
export interface Client extends Principal {
  readonly limits: ClientLimits
  /** Where it was written: `policy.yaml:4:5 tokens[0]`. */
  readonly where: string
  /** What its token claims of what the entry shares. Until it is narrowed to that, it shares nothing. */
  readonly claim?: { readonly ceiling: Client; readonly selectors: readonly string[] }
  /** The `sub` of its token for the audit line, printable and cut. */
  readonly subject?: string
  /** Why the `match` claim of its token was granted in part, for the audit line. */
  readonly notGranted?: string
}

/** All that requests are authenticated and authorised with; replaced as a whole, so that what is kept by it goes with it. */
export interface Policy extends Credentials<Client> {
  /** One per entry. */
  readonly clients: readonly Client[]
  /** Tried in order; may have a path prefix, without a slash at the end. */
  readonly upstreams: readonly [URL, ...URL[]]
  /** What they need, by their href. */
  readonly accesses: Accesses
  /** Requested upstream, below the prefix: `/federate`. */
  readonly path: string
  /** Seconds that a response is reused; 0: only concurrent equal requests share one. */
  readonly reuse: number
  /** Bytes of all stored responses. */
  readonly memory: number
  /** Bytes of a request's target and headers. */
  readonly requestBytes: number
  /** What is in force and may yet be a mistake. */
  readonly warnings: readonly Fault[]
}
