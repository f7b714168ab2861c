import type { Credentials } from "#core/auth/authenticate.ts"
import type { Fault } from "#core/errors.ts"
import type { RequestLimits } from "#core/limits/client-limits.ts"
import type { Principal } from "#core/promql/authorize.ts"

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
 * what the issuer's entry shares. Equal names share limits, and stand in logs and messages: a component may name a token's
 * client `entry/…`, so that it has limits of its own.
 */
export interface Client extends Principal {
  readonly limits: ClientLimits
  /** The name of its entry, where its own says more. Metrics are of entries: there are as many as the policy has, whatever tokens claim. */
  readonly entry?: string
  /** Where it was written: `policy.yaml:4:5 tokens[0]`. */
  readonly where: string
  /** What its token claims of what the entry shares. Until it is narrowed to that, it shares nothing. */
  readonly claim?: { readonly ceiling: Client; readonly selectors: readonly string[] } | undefined
  /** The `sub` of its token for the audit line, printable and cut. */
  readonly subject?: string
  /** Why the `match` claim of its token was granted in part, for the audit line. */
  readonly notGranted?: string
}

/** What requests are authenticated and authorised with; replaced as a whole, so that what is kept by it goes with it. */
export interface ClientPolicy<C extends Client = Client> extends Credentials<C> {
  /** One per entry. */
  readonly clients: readonly C[]
  /** Seconds that a response is reused; 0: only concurrent equal requests share one. */
  readonly reuse: number
  /** Bytes of all stored responses. */
  readonly memory: number
  /** Bytes of a request's target and headers. */
  readonly requestBytes: number
  /** What is in force and may yet be a mistake. */
  readonly warnings: readonly Fault[]
}
