import type { Registry } from "prom-client"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { followKeys } from "#core/auth/jwt/remote-keys.ts"
import { closeAll } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { SenderFiles } from "./entries.ts"
import { loadSenders, type SendersContext } from "./load.ts"
import type { Senders } from "./sender.ts"

interface OpenSendersOptions extends Omit<SendersContext, "keySets" | "selectors"> {
  readonly log: Logger
  readonly registry: Registry
  /** Called after each change. */
  readonly changed?: (senders: Senders) => void
}

/**
 * Loads the senders of the files, and again whenever one of these, or one that they name, changes. A request takes the current ones and goes
 * by them to its end. Throws ConfigurationError with every fault where they cannot be loaded at the start.
 */
export async function openSenders(
  files: SenderFiles,
  { log, registry, changed = () => undefined, ...options }: OpenSendersOptions,
): Promise<Reloading<Senders>> {
  const keySets = createKeySets((url, ca) => followKeys(url, ca, log))
  const context = { ...options, keySets, selectors: createSelectorReader() }
  try {
    const reloading = await reloadOnChange<Senders>({
      config: "senders",
      load: (read) => loadSenders(files, context, read),
      async apply(senders, previous) {
        for (const { where, message } of senders.warnings)
          log.warn({ where, reason: message }, "senders have a warning")
        if (previous !== undefined) changed(senders)
        await keySets.keepOnly(senders.issuers).catch((error: unknown) => {
          log.error({ reason: explain(error) }, "closing what only the previous senders needed failed")
        })
      },
      summary: ({ senders, tokens, issuers, certificates }) => ({
        senders: senders.length,
        tokens: tokens.length,
        issuers: issuers.length,
        certificates: certificates.length,
      }),
      log,
      registry,
    })
    return { ...reloading, close: () => closeAll([reloading, keySets]) }
  } catch (error) {
    await keySets.close()
    throw error
  }
}
