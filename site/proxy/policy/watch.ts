import type { Closable } from "#core/closable.ts"
import { ConfigurationError, explain, type Fault, FaultyFiles, UsageError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { watchFiles } from "#core/files/watch.ts"
import type { Policy } from "./types.ts"

export interface LoadedPolicy {
  readonly policy: Policy
  /** All that the policy was made of; it is made again when one of them changes. */
  readonly files: readonly string[]
  /** What is in force and yet worth a look. */
  readonly warnings: readonly Fault[]
}

export interface PolicyLoader extends Closable {
  /** Makes a policy of what stands on disk now. Throws ConfigurationError or UsageError with every fault. */
  load(): Promise<LoadedPolicy>
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
  /** Called after each attempt to load a policy, the first included. */
  readonly loaded: (successful: boolean) => void
}

/** Loads the policy, and again whenever a file of it changes. A faulty one leaves the one before in force. */
export async function openPolicy(loader: PolicyLoader, { log, loaded }: PolicyWatch): Promise<PolicySource> {
  let current = await loader.load()
  let filesOfFaulty: readonly string[] = []
  const reloadNow = async (): Promise<void> => {
    try {
      current = await loader.load()
      filesOfFaulty = []
      announce(current, log)
      log.info(countsOf(current.policy), "policy read again")
      loaded(true)
      await loader.inForce()
    } catch (error) {
      filesOfFaulty = error instanceof FaultyFiles ? error.files : []
      const known = error instanceof ConfigurationError || error instanceof UsageError
      const faults = known ? error.faults : [{ where: "policy", message: explain(error) }]
      for (const { where, message } of faults) log.error({ where, reason: message }, "kept the old policy")
      loaded(false)
    }
  }
  // one after the other, so that an older reading never replaces a newer one
  let last: Promise<void> = Promise.resolve()
  const reload = (): Promise<void> => (last = last.then(reloadNow))
  /** Which files there are is known once they were read: what changed since then, unwatched, a second reading finds. */
  const watch = async (): Promise<Closable> => {
    const { files } = current
    const watching = await watchFiles(() => [...new Set([...current.files, ...filesOfFaulty])], reload)
    try {
      await (last = last.then(async () => void (current = await loader.load())))
    } catch (error) {
      await watching.close()
      throw error
    }
    if (String(current.files) === String(files)) return watching
    await watching.close()
    return watch()
  }
  const watching = current.files.length === 0 ? undefined : await watch()
  await loader.inForce()
  announce(current, log)
  loaded(true)
  return {
    current: () => current.policy,
    reload,
    async close() {
      await watching?.close()
      await last
      await loader.close()
    },
  }
}

function announce({ warnings }: LoadedPolicy, log: Logger): void {
  for (const { where, message } of warnings) log.warn({ where, reason: message }, "policy")
}

function countsOf({ tokens, issuers, certificates, clients }: Policy) {
  return {
    clients: clients.length,
    tokens: tokens.length,
    issuers: issuers.length,
    certificates: certificates.length,
  }
}
