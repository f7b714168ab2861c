import type { ClientPolicy } from "#core/federation/client.ts"
import type { Accesses } from "#core/federation/upstreams/access.ts"

/** All that requests are authenticated and authorised with, and where their responses come from. */
export interface Policy extends ClientPolicy {
  /** Tried in order; may have a path prefix, without a slash at the end. */
  readonly upstreams: readonly [URL, ...URL[]]
  /** What they need, by their href. */
  readonly accesses: Accesses
  /** Requested upstream, below the prefix: `/federate`. */
  readonly path: string
}
