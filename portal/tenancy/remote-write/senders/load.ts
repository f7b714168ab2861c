import { type CredentialContext, readCredentials } from "#core/auth/read.ts"
import type { Credentials } from "#core/auth/authenticate.ts"
import type { KeySets } from "#core/auth/jwt/key-sets.ts"
import { duplicates, Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { SelectorReader } from "#core/promql/selector-reader.ts"
import type { Selector } from "#core/promql/selector.ts"
import { type FoundEntry, readEntries, type SenderFiles } from "./entries.ts"
import { readSenderLimits } from "./limits.ts"
import type { Sender, Senders } from "./sender.ts"
import { seriesRules } from "./series-rules.ts"

export interface SendersContext {
  /** For tokens that are taken from variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly keySets: KeySets
  readonly selectors: SelectorReader
  /** Why this server verifies no client certificates, in half a sentence; undefined where it does. */
  readonly noCertificates?: () => Promise<string | undefined>
}

type FoundSender = FoundEntry & { readonly sender: Sender }

/** Makes senders of the files and all that they name. Throws ConfigurationError with every fault. */
export async function loadSenders(files: SenderFiles, context: SendersContext, read: ReadText): Promise<Senders> {
  const faults = new Faults()
  const warnings: Fault[] = []
  const { entries, names, limits } = readEntries(files, read, faults)

  const found: FoundSender[] = []
  for (const one of entries) {
    const { name, where, labels, path, tenant, tenants } = one
    const match = await readMatch(one, context.selectors, faults)
    found.push({
      ...one,
      sender: {
        ...{ name, tenant, tenants: tenants && new Set(tenants) },
        rules: seriesRules(name, { labels, match }, names),
        limits: readSenderLimits({ ...limits, ...one.limits }),
        ...{ paused: one.paused, where: where(path) },
      },
    })
  }
  context.selectors.finish()
  for (const [{ name, path, where }, first] of duplicates(found, (one) => one.name)) {
    const message = `the name ${name} is that of ${first.sender.where} too; each sender has its own`
    faults.add(where([...path, "name"]), message)
  }
  const certified = found.find(({ credentials }) => credentials.certificate !== undefined)
  const unverified = certified && (await context.noCertificates?.())
  if (certified !== undefined && unverified !== undefined) {
    faults.add(certified.where([...certified.credentialsPath, "certificate"]), unverified)
  }
  const byFile = [...Map.groupBy(found, ({ file }) => file)].map(([file, all]) => {
    const where = all[0]?.where ?? (() => file)
    return credentialsOf(all, { ...context, file, where, read, now: context.now(), faults, warnings })
  })
  const credentials = {
    tokens: byFile.flatMap(({ tokens }) => tokens),
    issuers: byFile.flatMap(({ issuers }) => issuers),
    certificates: byFile.flatMap((one) => one.certificates),
  }
  if (byFile.length > 1) findShared(byFile, faults)
  faults.orThrow()
  return { ...credentials, senders: found.map(({ sender }) => sender), warnings }
}

/** Adds what is wrong with them to the faults of the context. */
function credentialsOf(found: readonly FoundSender[], context: CredentialContext): Credentials<Sender> {
  const having = <Key extends keyof FoundEntry["credentials"]>(key: Key) =>
    found.flatMap(({ credentials, sender, credentialsPath }) => {
      const own = credentials[key]
      return own === undefined ? [] : [{ entry: own, owner: sender, path: [...credentialsPath, key] }]
    })
  return readCredentials(
    { tokens: having("token"), issuers: having("jwt"), certificates: having("certificate") },
    context,
    (sender) => () => sender,
  )
}

/** Credentials of one file that the other one has, too: each file by itself was looked at before. */
function findShared([one, other]: readonly Credentials<Sender>[], faults: Faults): void {
  const tokens = new Map(one?.tokens.map((token) => [token.sha256.toString("hex"), token]))
  for (const { sha256, where } of other?.tokens ?? []) {
    const first = tokens.get(sha256.toString("hex"))
    if (first === undefined) continue
    faults.add(where, `is the same token as that of ${first.owner.name} at ${first.where}; each sender has its own`)
  }
  const rules = one?.certificates ?? []
  for (const { names, owner } of other?.certificates ?? []) {
    for (const name of names) {
      const first = rules.find((rule) => rule.names.includes(name))?.owner
      if (first !== undefined) faults.add(owner.where, `${name} stands for ${first.name} (${first.where}) too`)
    }
  }
  for (const { issuer, audience, owner } of other?.issuers ?? []) {
    const first = one?.issuers.find(
      (known) => known.issuer === issuer && known.audience.some((a) => audience.includes(a)),
    )
    if (first === undefined) continue
    faults.add(
      owner.where,
      `tokens of ${issuer} for ${audience.join(", ")} are those of ${first.owner.name} (${first.owner.where}) too; each sender has its own audience`,
    )
  }
}

async function readMatch(
  { match, path, where }: FoundEntry,
  selectors: SelectorReader,
  faults: Faults,
): Promise<readonly Selector[] | undefined> {
  if (match === undefined) return undefined
  const found: Selector[] = []
  for (const [index, text] of match.entries()) {
    const result = await selectors.read(text)
    if ("fault" in result) faults.add(where([...path, "match", index]), result.fault)
    else found.push(result.selector)
  }
  return found
}
