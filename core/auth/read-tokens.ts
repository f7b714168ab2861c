import { dirname, resolve } from "node:path"
import type { Path } from "#core/config/config-file.ts"
import type { Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { Owner, TokenCredential } from "./credentials.ts"
import type { TokenEntry } from "./schema.ts"
import { type FoundToken, parseTokens, sha256, weaknessOf, weaknessOfHash } from "./secrets.ts"

/** An entry of a configuration file, at `path`, and whom its credentials belong to. */
export interface OwnedEntry<Entry, O extends Owner> {
  readonly entry: Entry
  readonly owner: O
  readonly path: Path
}

/** Where tokens come from, and where to say what is wrong with them. */
export interface TokenContext {
  /** The configuration file; names of files in it are relative to its folder. */
  readonly file: string
  readonly where: (path: Path) => string
  readonly read: ReadText
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: Date
  readonly faults: Faults
  readonly warnings: Fault[]
}

type Secret = NonNullable<TokenEntry["secrets"]>[number]
type FoundHash = Pick<TokenCredential<Owner>, "sha256" | "where">

/** All tokens of one entry, from wherever it takes them. No fault shows one. */
export function readTokens<O extends Owner>(
  { entry, path, owner }: OwnedEntry<TokenEntry, O>,
  context: TokenContext,
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
  { faults, warnings, now }: TokenContext,
): void {
  if (end === undefined) return
  if (from !== undefined && from >= end) {
    faults.add(where, "valid_from is not before not_after: the token would never be valid")
  } else if (end <= now) {
    warnings.push({ where, message: `this token of ${name} expired on ${end.toISOString()}; remove it` })
  }
}

function hashesOf(secret: Secret, at: string, context: TokenContext): readonly FoundHash[] {
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

function ofFile(name: string, at: string, { file, read, faults }: TokenContext): readonly FoundToken[] {
  const path = resolve(dirname(file), name)
  const text = faults.collect(() => read(path, at))
  return text === undefined ? [] : parseTokens(text, path, faults)
}

function ofVariable(name: string, at: string, { env, faults }: TokenContext): readonly FoundToken[] {
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  if (value !== undefined && !/\s/.test(value)) return parseTokens(value, at, faults)
  const problem = value === undefined ? "is not set" : "holds more than one word; give one token"
  faults.add(at, `the variable ${name} ${problem}`)
  return []
}
