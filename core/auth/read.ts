import { dirname, resolve } from "node:path"
import type { Path } from "#core/config/config-file.ts"
import { duplicates, type Faults } from "#core/config/faults.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { certificateIn } from "#core/http/pem.ts"
import type { Credentials } from "./authenticate.ts"
import type { CertificateRule } from "./certificates.ts"
import { createIssuer, type OwnerOf } from "./jwt/issuer.ts"
import type { KeySets } from "./jwt/key-sets.ts"
import { type KeySet, keysOfFile } from "./jwt/keys.ts"
import type { Owner } from "./owner.ts"
import type { CertificateEntry, IssuerEntry, TokenEntry } from "./schema.ts"
import { type FoundToken, parseTokens, sha256, weaknessOf, weaknessOfHash } from "./secrets.ts"
import type { TokenCredential } from "./token-table.ts"

/** An entry of a configuration file, at `path`, and whom its credentials belong to. */
export interface OwnedEntry<Entry, O extends Owner> {
  readonly entry: Entry
  readonly owner: O
  readonly path: Path
}

export interface CredentialEntries<O extends Owner> {
  readonly tokens: readonly OwnedEntry<TokenEntry, O>[]
  readonly issuers: readonly OwnedEntry<IssuerEntry, O>[]
  readonly certificates: readonly OwnedEntry<CertificateEntry, O>[]
}

export interface CredentialContext {
  /** The configuration file; names of files in it are relative to its folder. */
  readonly file: string
  readonly where: (path: Path) => string
  readonly read: ReadText
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: Date
  readonly keySets: KeySets
  readonly faults: Faults
  readonly warnings: Fault[]
}

/** Makes credentials of entries and of all that they name. What is wrong is added to the faults of the context. */
export function readCredentials<O extends Owner>(
  { tokens, issuers, certificates }: CredentialEntries<O>,
  context: CredentialContext,
  ownerOf: (owner: O) => OwnerOf<O>,
): Credentials<O> {
  const credentials = {
    tokens: tokens.flatMap((owned) => readTokens(owned, context)),
    issuers: issuers.flatMap(({ entry, path, owner }) => {
      const keys = context.faults.collect(() => readKeys(entry, path, context))
      return keys === undefined ? [] : [createIssuer(entry, owner, keys, ownerOf(owner))]
    }),
    certificates: readCertificateRules(certificates, context),
  }
  findAmbiguousIssuers(issuers, context)
  for (const [token, first] of duplicates(credentials.tokens, (one) => one.sha256.toString("hex"))) {
    const message = `is the same token as that of ${first.owner.name} at ${first.where}; each secret has its own`
    context.faults.add(token.where, message)
  }
  return credentials
}

type Secret = NonNullable<TokenEntry["secrets"]>[number]

/** All tokens of one entry, from wherever it takes them. No fault shows one. */
function readTokens<O extends Owner>(
  { entry, path, owner }: OwnedEntry<TokenEntry, O>,
  context: CredentialContext,
): readonly TokenCredential<O>[] {
  const { valid_from, not_after, secrets = [] } = entry
  // the dates of an entry are those of the secrets that stand in it directly
  const direct = (["sha256", "env", "file"] as const).flatMap((kind) =>
    (entry[kind] ?? []).map((value, index) => ({
      secret: { [kind]: value, valid_from, not_after } satisfies Secret,
      at: context.where([...path, kind, index]),
    })),
  )
  const listed = secrets.map((secret, index) => ({ secret, at: context.where([...path, "secrets", index]) }))
  const all = [...direct, ...listed]
  if (all.length === 0) {
    context.faults.add(context.where(path), "has no token; give sha256, env or file, or several of them in secrets")
  }
  return all.flatMap(({ secret, at }) => {
    checkDates(secret, at, owner, context)
    const { valid_from: validFrom, not_after: notAfter } = secret
    return hashesOf(secret, at, context).map((found) => ({ ...found, owner, validFrom, notAfter }))
  })
}

function checkDates(
  { valid_from: from, not_after: end }: Secret,
  where: string,
  { name }: Owner,
  { faults, warnings, now }: CredentialContext,
): void {
  if (end === undefined) return
  if (from !== undefined && from >= end) {
    faults.add(where, "valid_from is not before not_after: the token would never be valid")
  } else if (end <= now) {
    warnings.push({ where, message: `this token of ${name} expired on ${end.toISOString()}; remove it` })
  }
}

function hashesOf(
  secret: Secret,
  at: string,
  context: CredentialContext,
): readonly Pick<TokenCredential<Owner>, "sha256" | "where">[] {
  const { faults } = context
  if ([secret.sha256, secret.env, secret.file].filter((given) => given !== undefined).length !== 1) {
    faults.add(at, "must hold one of sha256, env and file")
    return []
  }
  if (secret.sha256 !== undefined) {
    const weakness = weaknessOfHash(secret.sha256)
    if (weakness !== undefined) faults.add(at, weakness)
    return [{ sha256: Buffer.from(secret.sha256, "hex"), where: at }]
  }
  const found = secret.file === undefined ? ofVariable(secret.env ?? "", at, context) : ofFile(secret.file, at, context)
  for (const { token, where } of found) {
    const weakness = weaknessOf(token)
    if (weakness !== undefined) faults.add(where, weakness)
  }
  // a line that stands twice in a file is one token
  return [...new Map(found.map(({ token, where }) => [token, { sha256: sha256(token), where }])).values()]
}

function ofFile(name: string, at: string, { file, read, faults }: CredentialContext): readonly FoundToken[] {
  const path = resolve(dirname(file), name)
  const text = faults.collect(() => read(path, at))
  return text === undefined ? [] : parseTokens(text, path, faults)
}

function ofVariable(name: string, at: string, { env, faults }: CredentialContext): readonly FoundToken[] {
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  if (value !== undefined && !/\s/.test(value)) return parseTokens(value, at, faults)
  const problem = value === undefined ? "is not set" : "holds more than one word; give one token"
  faults.add(at, `the variable ${name} ${problem}`)
  return []
}

/** A token that two entries could take would get the rights of either, as their order or their keys have it. */
function findAmbiguousIssuers<O extends Owner>(
  issuers: CredentialEntries<O>["issuers"],
  { faults, where }: CredentialContext,
): void {
  const pairs = issuers.flatMap(({ entry: { issuer, audience }, owner, path }) =>
    [...new Set(audience)].map((one) => ({ issuer, audience: one, owner, at: where(path) })),
  )
  for (const [{ issuer, audience, at }, first] of duplicates(pairs, (one) =>
    JSON.stringify([one.issuer, one.audience]),
  )) {
    const message = `tokens of ${issuer} for ${audience} are those of ${first.owner.name} (${first.at}) too; each entry has its own audience`
    faults.add(at, message)
  }
}

function readKeys({ issuer, jwks }: IssuerEntry, path: Path, context: CredentialContext): KeySet {
  const at = (key: keyof typeof jwks): string => context.where([...path, "jwks", key])
  const textOf = (key: "file" | "ca_file", name: string): string =>
    context.read(resolve(dirname(context.file), name), at(key))
  if (jwks.file !== undefined) {
    const keys = keysOfFile(textOf("file", jwks.file), jwks.file, at("file"))
    for (const reason of keys.unusable) {
      context.warnings.push({ where: at("file"), message: `${jwks.file}: ${reason}; its tokens are refused` })
    }
    return keys
  }
  const url = new URL(jwks.url ?? "")
  if (url.protocol === "http:") {
    const message = `the keys of ${issuer} come over plain http: any host on the network path can replace them`
    context.warnings.push({ where: at("url"), message })
  }
  const ca = jwks.ca_file === undefined ? undefined : textOf("ca_file", jwks.ca_file)
  // without this, it would only show as an authority that is not known
  if (ca !== undefined && certificateIn(ca) === undefined) {
    const message = `${jwks.ca_file} holds no certificate in PEM format`
    throw new ConfigurationError([{ where: at("ca_file"), message }])
  }
  return context.keySets.follow(url, ca)
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
