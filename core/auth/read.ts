import { dirname, resolve } from "node:path"
import type { Path } from "#core/config/config-file.ts"
import { duplicates } from "#core/config/faults.ts"
import type { CertificateRule, Credentials, Issuer, Owner, OwnerOf } from "./credentials.ts"
import { createIssuer } from "./jwt/issuer.ts"
import type { KeySets } from "./jwt/key-sets.ts"
import { type KeySet, keysOfFile } from "./jwt/keys.ts"
import { type OwnedEntry, readTokens, type TokenContext } from "./read-tokens.ts"
import type { CertificateEntry, IssuerEntry, TokenEntry } from "./schema.ts"

export interface CredentialEntries<O extends Owner> {
  readonly tokens: readonly OwnedEntry<TokenEntry, O>[]
  readonly issuers: readonly OwnedEntry<IssuerEntry, O>[]
  readonly certificates: readonly OwnedEntry<CertificateEntry, O>[]
}

export interface CredentialContext extends TokenContext {
  readonly keySets: KeySets
}

/** Makes credentials of entries and of all that they name. What is wrong is added to the faults of the context. */
export function readCredentials<O extends Owner>(
  { tokens, issuers, certificates }: CredentialEntries<O>,
  context: CredentialContext,
  ownerOf: (owner: O) => OwnerOf<O>,
): Credentials<O> {
  const credentials = {
    tokens: tokens.flatMap((owned) => readTokens(owned, context)),
    issuers: issuers.flatMap((owned) => readIssuer(owned, context, ownerOf(owned.owner)) ?? []),
    certificates: readCertificateRules(certificates, context),
  }
  for (const [token, first] of duplicates(credentials.tokens, ({ sha256 }) => sha256.toString("hex"))) {
    const message = `is the same token as that of ${first.owner.name} at ${first.where}; each secret has its own`
    context.faults.add(token.where, message)
  }
  return credentials
}

function readIssuer<O extends Owner>(
  { entry, path, owner }: OwnedEntry<IssuerEntry, O>,
  context: CredentialContext,
  ownerOf: OwnerOf<O>,
): Issuer<O> | undefined {
  const keys = context.faults.collect(() => readKeys(entry, path, context))
  return keys && createIssuer(entry, owner, keys, ownerOf)
}

function readKeys({ issuer, jwks }: IssuerEntry, path: Path, context: CredentialContext): KeySet {
  const at = (key: keyof typeof jwks): string => context.where([...path, "jwks", key])
  const textOf = (key: "file" | "ca_file", name: string): string =>
    context.read(resolve(dirname(context.file), name), at(key))
  if (jwks.file !== undefined) return keysOfFile(textOf("file", jwks.file), jwks.file, at("file"))
  const url = new URL(jwks.url ?? "")
  if (url.protocol === "http:") {
    const message = `the keys of ${issuer} come over plain http: anybody on the network path can replace them`
    context.warnings.push({ where: at("url"), message })
  }
  return context.keySets.follow(url, jwks.ca_file === undefined ? undefined : textOf("ca_file", jwks.ca_file))
}

function readCertificateRules<O extends Owner>(
  entries: CredentialEntries<O>["certificates"],
  { faults, where }: CredentialContext,
): readonly CertificateRule<O>[] {
  const rules = entries.map(({ entry, path, owner }) => {
    const names = [...(entry.san ?? []), ...(entry.common_name ?? []).map((name) => `CN:${name}`)]
    const at = where(path)
    if (names.length === 0) faults.add(at, "has no name of a certificate; give san or common_name")
    return { owner, names, at }
  })
  const named = rules.flatMap(({ owner, names, at }) => names.map((name) => ({ name, owner, at })))
  for (const [{ name, at }, first] of duplicates(named, (one) => one.name)) {
    faults.add(at, `${name} stands for ${first.owner.name} (${first.at}) too`)
  }
  return rules
}
