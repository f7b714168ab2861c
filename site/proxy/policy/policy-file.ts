import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { followKeys, type KeyTimes } from "#core/auth/jwt/remote-keys.ts"
import type { Logger } from "#core/log/logger.ts"
import { loadPolicy, type PolicyContext } from "./load.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { PolicyLoader } from "./watch.ts"

export type PolicyFileOptions = Pick<PolicyContext, "env" | "now" | "noCertificates"> & {
  readonly log: Logger
  readonly keyTimes?: KeyTimes
}

/** Loads a policy file as often as it is asked to; what is worth keeping from one time to the next is kept here. */
export function policyFile(file: string, options: PolicyFileOptions): PolicyLoader {
  const keySets = createKeySets((url, ca) => followKeys(url, ca, options.log, options.keyTimes))
  const context = { ...options, keySets, selectors: createSelectorReader() }
  return {
    load(read) {
      keySets.begin()
      return loadPolicy(file, context, read)
    },
    inForce: () => keySets.finish(),
    close: () => keySets.close(),
  }
}
