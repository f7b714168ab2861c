import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Policy } from "./types.ts"

export interface PolicyLoader extends Closable {
  /** Makes a policy of what is on disk now. Throws ConfigurationError or UsageError with every fault. */
  load(read: ReadText): Promise<Policy>
  /** Ends what only policies before this one needed. */
  applied(policy: Policy): Promise<void>
}

export interface PolicyOptions {
  readonly log: Logger
  readonly registry: Registry
  /** Called after each change of the policy. */
  readonly changed: () => void
}

/** Loads the policy, and again whenever a file of it changes. A request takes the current one and goes by it to its end. */
export async function openPolicy(
  loader: PolicyLoader,
  { log, registry, changed }: PolicyOptions,
): Promise<Reloading<Policy>> {
  const reloading = await reloadOnChange({
    config: "policy",
    load: (read) => loader.load(read),
    async apply(policy, previous) {
      for (const { where, message } of policy.warnings) log.warn({ where, reason: message }, "policy has a warning")
      if (previous !== undefined) changed()
      await loader.applied(policy)
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
  return {
    ...reloading,
    async close() {
      await reloading.close()
      await loader.close()
    },
  }
}
