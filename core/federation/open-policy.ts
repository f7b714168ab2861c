import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import type { ClientPolicy } from "./client.ts"

export interface PolicyLoader<P extends ClientPolicy> extends Closable {
  /** Makes a policy of what is on disk now. Throws ConfigurationError or UsageError with every fault. */
  load(read: ReadText): Promise<P>
  /** Ends what only policies before this one needed. */
  applied(policy: P): Promise<void>
}

/**
 * Loads the policy, and again whenever a file of it changes; `changed` is called after that. A request takes the current one
 * and goes by it to its end.
 */
export function openPolicy<P extends ClientPolicy>(
  loader: PolicyLoader<P>,
  {
    log,
    registry,
    changed,
  }: { readonly log: Logger; readonly registry: Registry; readonly changed: (policy: P) => void },
): Promise<Reloading<P>> {
  return reloadOnChange({
    config: "policy",
    load: (read) => loader.load(read),
    async apply(policy, previous) {
      for (const { where, message } of policy.warnings) log.warn({ where, reason: message }, "policy has a warning")
      if (previous !== undefined) changed(policy)
      await loader.applied(policy).catch((error: unknown) => {
        log.error({ reason: explain(error) }, "closing what only the previous policy needed failed")
      })
    },
    summary: ({ clients, tokens, issuers, certificates }) => ({
      clients: clients.length,
      tokens: tokens.length,
      issuers: issuers.length,
      certificates: certificates.length,
    }),
    log,
    registry,
  })
}
