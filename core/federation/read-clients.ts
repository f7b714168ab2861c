import type { Credentials } from "#core/auth/authenticate.ts"
import type { OwnerOf } from "#core/auth/jwt/issuer.ts"
import { type CredentialContext, type OwnedEntry, readCredentials } from "#core/auth/read.ts"
import type { Path } from "#core/config/config-file.ts"
import { duplicates, type Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import type { SharedSelector } from "#core/promql/authorize.ts"
import type { SelectorReader } from "#core/promql/selector-reader.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Client } from "./client.ts"
import { readLimits } from "./limits.ts"
import type { ClientEntry, ClientLists, GeneralLimits } from "./schema.ts"

export interface ClientContext extends CredentialContext {
  readonly selectors: SelectorReader
  /** Why this server verifies no client certificates, in half a sentence; undefined where it does. */
  readonly noCertificates?: (() => Promise<string | undefined>) | undefined
}

/** What becomes of an entry: what the file adds to a client, and of an issuer's token. */
export interface ClientKind<Own, C extends Client> {
  client(client: Client, entry: ClientEntry & Own, path: Path): C
  ofToken(client: C): OwnerOf<C>
}

/** Bytes of all stored responses, unless the file says otherwise. */
const MEMORY = 256 * 2 ** 20

/** Clients and their credentials of a file that lists them. What is wrong is added to the faults of the context. */
export async function readClients<Own, C extends Client>(
  value: ClientLists<Own> & { readonly limits: GeneralLimits },
  context: ClientContext,
  kind: ClientKind<Own, C>,
): Promise<
  Credentials<C> & { readonly clients: readonly C[]; readonly memory: number; readonly requestBytes: number }
> {
  const { where, faults, selectors } = context
  const limits = readLimits(value.limits, context)

  const withClients = async <Entry extends ClientEntry & Own>(
    key: string,
    entries: readonly Entry[],
  ): Promise<readonly OwnedEntry<Entry, C>[]> => {
    const owned: OwnedEntry<Entry, C>[] = []
    for (const [index, entry] of entries.entries()) {
      const path = [key, index]
      const shared = await readShared(entry, (at) => where([...path, "match", at]), context)
      const { name, enforce } = entry
      const client = { name, shared, enforce, limits: limits.of(entry, path), where: where(path) }
      owned.push({ entry, path, owner: kind.client(client, entry, path) })
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
  const unverified = certificates.length === 0 ? undefined : await context.noCertificates?.()
  if (unverified !== undefined) faults.add(where(["certificates"]), unverified)
  return {
    ...readCredentials({ tokens, issuers, certificates }, context, (client) => kind.ofToken(client)),
    clients: all.map(({ owner }) => owner),
    memory: value.limits.memory ?? MEMORY,
    requestBytes: limits.requestBytes,
  }
}

async function readShared(
  { name, match, share_everything: shareEverything }: ClientEntry,
  where: (index: number) => string,
  {
    selectors,
    faults,
    warnings,
  }: { readonly selectors: SelectorReader; readonly faults: Faults; readonly warnings: Fault[] },
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
