import { createKeySets, type KeySets } from "#core/auth/jwt/key-sets.ts"
import { followKeys } from "#core/auth/jwt/remote-keys.ts"
import { type OwnedEntry, readCredentials } from "#core/auth/read.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { duplicates, Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { Logger } from "#core/log/logger.ts"
import type { SharedSelector } from "#core/promql/authorize.ts"
import { createSelectorReader, type SelectorReader } from "#core/promql/selector-reader.ts"
import { printSelector } from "#core/promql/selector.ts"
import { readLimits } from "./limits.ts"
import { clientsOfTokens } from "./narrow.ts"
import { parsePolicy } from "./parse.ts"
import type { ClientEntry } from "./schema.ts"
import type { Client, Policy } from "./types.ts"
import { readUpstreams } from "./upstreams.ts"
import type { PolicyLoader } from "./watch.ts"

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
export function policyFile(file: string, options: PolicyFileOptions): PolicyLoader {
  const keySets = createKeySets((url, ca) => followKeys(url, ca, options.log))
  const context = { ...options, keySets, selectors: createSelectorReader() }
  return {
    load: (read) => loadPolicy(file, context, read),
    applied: ({ issuers }) => keySets.keepOnly(issuers),
    close: () => keySets.close(),
  }
}

const MEMORY = 256 * 2 ** 20

/** Makes a policy of a file and all that it names. Throws ConfigurationError with every fault. */
export async function loadPolicy(file: string, context: PolicyContext, read: ReadText): Promise<Policy> {
  const { env, now, keySets, selectors, noCertificates } = context
  const faults = new Faults()
  const warnings: Fault[] = []
  const { value, where } = await parsePolicy(read(file), file, warnings)
  const limits = readLimits(value, { where, faults, warnings })

  const withClients = async <Entry extends ClientEntry>(
    key: string,
    entries: readonly Entry[],
  ): Promise<readonly OwnedEntry<Entry, Client>[]> => {
    const owned: OwnedEntry<Entry, Client>[] = []
    for (const [index, entry] of entries.entries()) {
      const path = [key, index]
      const shared = await readShared(entry, (at) => where([...path, "match", at]), selectors, faults, warnings)
      const { name, enforce } = entry
      owned.push({ entry, path, owner: { name, shared, enforce, limits: limits.of(entry, path), where: where(path) } })
    }
    return owned
  }
  const tokens = await withClients("tokens", value.tokens)
  const issuers = await withClients("jwt", value.jwt)
  const certificates = await withClients("certificates", value.certificates)
  selectors.finish()

  const all = [...tokens, ...issuers, ...certificates]
  if (all.length === 0) {
    faults.add(where([]), "allows no client to read anything; add an entry to tokens, jwt or certificates")
  }
  for (const [{ owner, path }, first] of duplicates(all, (one) => one.owner.name)) {
    const message = `the name ${owner.name} is that of ${first.owner.where} too; each entry has its own`
    faults.add(where([...path, "name"]), message)
  }
  const unverified = certificates.length === 0 ? undefined : await noCertificates?.()
  if (unverified !== undefined) faults.add(where(["certificates"]), unverified)

  const credentials = readCredentials(
    { tokens, issuers, certificates },
    { file, where, read, env, now: now(), keySets, faults, warnings },
    clientsOfTokens,
  )
  const upstreams = readUpstreams(value.upstreams, { file, where, read, env, faults, warnings })
  faults.orThrow()
  warnings.push(...unusedToken(env, credentials))
  return {
    ...credentials,
    clients: all.map(({ owner }) => owner),
    ...upstreams,
    path: value.path,
    reuse: value.reuse,
    memory: value.limits.memory ?? MEMORY,
    requestBytes: limits.requestBytes,
    warnings,
  }
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

async function readShared(
  { name, match, share_everything: shareEverything }: ClientEntry,
  where: (index: number) => string,
  selectors: SelectorReader,
  faults: Faults,
  warnings: Fault[],
): Promise<readonly SharedSelector[]> {
  const shared: SharedSelector[] = []
  for (const [index, text] of match.entries()) {
    const at = where(index)
    const result = await selectors.read(text)
    if ("fault" in result) {
      faults.add(at, result.fault)
      continue
    }
    const { selector, everything } = result
    if (everything && shareEverything) {
      warnings.push({ where: at, message: `${printSelector(selector)} SHARES EVERYTHING with ${name}` })
    } else if (everything) {
      faults.add(at, "shares whatever a target exposes; narrow it, or set share_everything: true beside match")
    }
    shared.push({ selector, where: at })
  }
  return shared
}
