import type { Closable } from "#core/closable.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Registry } from "prom-client"
import type { Policy } from "./types.ts"

export interface LoadedPolicy {
  readonly policy: Policy
  /** What is in force and yet worth a look. */
  readonly warnings: readonly Fault[]
}

export interface PolicyLoader extends Closable {
  /** Makes a policy of what stands on disk now. Throws ConfigurationError or UsageError with every fault. */
  load(read: ReadText): Promise<LoadedPolicy>
  /** The policy loaded last is the one in force: what only those before needed can go. */
  inForce(): Promise<void>
}

/** The policy in force. A request takes it once and goes by it to its end. */
export interface PolicySource extends Closable {
  current(): Policy
  reload(): Promise<void>
}

export interface PolicyWatch {
  readonly log: Logger
  readonly registry: Registry
  /** Called after each change of the policy. */
  readonly changed: () => void
}

/** Loads the policy, and again whenever a file of it changes. A faulty one leaves the one before in force. */
export async function openPolicy(loader: PolicyLoader, { log, registry, changed }: PolicyWatch): Promise<PolicySource> {
  const reloading = await reloadOnChange({
    config: "policy",
    load: (read) => loader.load(read),
    async apply({ warnings }, previous) {
      for (const { where, message } of warnings) log.warn({ where, reason: message }, "policy")
      if (previous !== undefined) changed()
      await loader.inForce()
    },
    summary: ({ policy: { clients, tokens, issuers, certificates } }) => ({
      clients: clients.length,
      tokens: tokens.length,
      issuers: issuers.length,
      certificates: certificates.length,
    }),
    log,
    registry,
  })
  return {
    current: () => reloading.current().policy,
    reload: () => reloading.reload(),
    async close() {
      await reloading.close()
      await loader.close()
    },
  }
}
