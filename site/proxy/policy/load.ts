import { createKeySets, type KeySets } from "#core/auth/jwt/key-sets.ts"
import { followKeys } from "#core/auth/jwt/remote-keys.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import { clientsOfTokens } from "#core/federation/narrow-client.ts"
import { readClients } from "#core/federation/read-clients.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { Logger } from "#core/log/logger.ts"
import { createSelectorReader, type SelectorReader } from "#core/promql/selector-reader.ts"
import { parsePolicy } from "./parse.ts"
import type { Policy } from "./types.ts"
import { readUpstreams } from "#core/federation/upstreams/read.ts"
import type { PolicyLoader } from "#core/federation/open-policy.ts"

export interface PolicyContext {
  /** For tokens that are taken from variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly keySets: KeySets
  readonly selectors: SelectorReader
  /** Why this server verifies no client certificates, in half a sentence; undefined where it does. */
  readonly noCertificates?: () => Promise<string | undefined>
}

export type PolicyFileOptions = Omit<PolicyContext, "keySets" | "selectors"> & { readonly log: Logger }

/** Loads a policy file again and again; keeps the keys of issuers and what selectors were found to be in between. */
export function policyFile(file: string, options: PolicyFileOptions): PolicyLoader<Policy> {
  const keySets = createKeySets((url, ca) => followKeys(url, ca, options.log))
  const context = { ...options, keySets, selectors: createSelectorReader() }
  return {
    load: (read) => loadPolicy(file, context, read),
    applied: ({ issuers }) => keySets.keepOnly(issuers),
    close: () => keySets.close(),
  }
}

/** Makes a policy of a file and all that it names. Throws ConfigurationError with every fault. */
export async function loadPolicy(file: string, context: PolicyContext, read: ReadText): Promise<Policy> {
  const { env, now, keySets, selectors, noCertificates } = context
  const faults = new Faults()
  const warnings: Fault[] = []
  const { value, where } = await parsePolicy(read(file), file, warnings)
  const clients = await readClients(
    value,
    { file, where, read, env, now: now(), keySets, faults, warnings, selectors, noCertificates },
    { client: (client) => client, ofToken: clientsOfTokens },
  )
  const upstreams = readUpstreams(value.upstreams, { file, where, read, env, faults, warnings })
  faults.orThrow()
  warnings.push(...unusedToken(env, clients))
  return { ...clients, ...upstreams, path: value.path, reuse: value.reuse, warnings }
}

/** A proxy without a policy accepts this variable; with one, a portal that still sends it would get 401. */
function unusedToken(
  { PORTAL_AUTH_TOKEN: token = "" }: PolicyContext["env"],
  { tokens }: Pick<Policy, "tokens">,
): readonly Fault[] {
  const hash = sha256(token.trim())
  if (token.trim() === "" || tokens.some((one) => one.sha256.equals(hash))) return []
  const message =
    "is set, but the policy does not accept this token; add {env: PORTAL_AUTH_TOKEN} to an entry of tokens, or remove the variable"
  return [{ where: "PORTAL_AUTH_TOKEN", message }]
}
