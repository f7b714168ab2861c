import { dirname, resolve } from "node:path"
import type { Path } from "#core/config/config-file.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { TokenEntry } from "./schema.ts"
import { type FoundTokens, readTokenFile, readTokens, sha256, weaknessOf } from "./secrets.ts"
import type { Owner, TokenCredential } from "./credentials.ts"

export interface TokenSources {
  /** The policy file; paths in it are relative to its folder. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: Date
  readonly where: (path: Path) => string
  readonly read: ReadText
}

export interface ReadTokens<O extends Owner> {
  readonly credentials: readonly TokenCredential<O>[]
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

type Secret = NonNullable<TokenEntry["secrets"]>[number]
interface Placed {
  readonly secret: Secret
  readonly path: Path
}

/** All tokens of one entry, from wherever it takes them. The faults never show one. */
export function readTokenEntry<O extends Owner>(
  entry: TokenEntry,
  path: Path,
  owner: O,
  sources: TokenSources,
): ReadTokens<O> {
  const read = secretsOf(entry, path).map((placed) => readSecret(placed, owner, sources))
  if (read.length === 0) {
    const message = "has no token; give sha256, env or file, or several of them in secrets"
    return { ...join<O>([]), faults: [{ where: sources.where(path), message }] }
  }
  return join(read)
}

function join<O extends Owner>(read: readonly ReadTokens<O>[]): ReadTokens<O> {
  return {
    credentials: read.flatMap(({ credentials }) => credentials),
    faults: read.flatMap(({ faults }) => faults),
    warnings: read.flatMap(({ warnings }) => warnings),
  }
}

/** Each source by itself; the dates of an entry hold for those that stand in it directly. */
function secretsOf(entry: TokenEntry, path: Path): readonly Placed[] {
  const dates = {
    ...(entry.valid_from === undefined ? {} : { valid_from: entry.valid_from }),
    ...(entry.not_after === undefined ? {} : { not_after: entry.not_after }),
  }
  const direct = (["sha256", "env", "file"] as const).flatMap((kind) =>
    (entry[kind] ?? []).map((value, index): Placed => ({
      secret: { [kind]: value, ...dates },
      path: [...path, kind, index],
    })),
  )
  const listed = (entry.secrets ?? []).map((secret, index): Placed => ({ secret, path: [...path, "secrets", index] }))
  return [...direct, ...listed]
}

function readSecret<O extends Owner>({ secret, path }: Placed, owner: O, sources: TokenSources): ReadTokens<O> {
  const at = sources.where(path)
  const given = [secret.sha256, secret.env, secret.file].filter((value) => value !== undefined)
  if (given.length !== 1) {
    return { ...join<O>([]), faults: [{ where: at, message: "must hold one of sha256, env and file" }] }
  }
  const dates = checkDates(secret, at, owner.name, sources.now)
  const { faults, hashes } = hashesOf(secret, at, sources)
  return {
    credentials: hashes.map(({ hash, where }) => ({
      sha256: hash,
      owner,
      where,
      ...(secret.valid_from === undefined ? {} : { validFrom: secret.valid_from }),
      ...(secret.not_after === undefined ? {} : { notAfter: secret.not_after }),
    })),
    faults: [...dates.faults, ...faults],
    warnings: dates.warnings,
  }
}

interface Hashes {
  readonly hashes: readonly { readonly hash: Buffer; readonly where: string }[]
  readonly faults: readonly Fault[]
}

function hashesOf(secret: Secret, at: string, { file, env, read }: TokenSources): Hashes {
  if (secret.sha256 !== undefined) {
    return {
      hashes: [{ hash: Buffer.from(secret.sha256, "hex"), where: at }],
      faults: weakHash(secret.sha256, at),
    }
  }
  if (secret.file !== undefined) {
    return hashed(readTokenFile(resolve(dirname(file), secret.file), read, at))
  }
  const name = secret.env ?? ""
  const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
  if (value === undefined) return fault(at, `the variable ${name} is not set`)
  if (/\s/.test(value)) return fault(at, `the variable ${name} holds more than one word; give one token`)
  return hashed(readTokens(value, at))
}

function fault(where: string, message: string): Hashes {
  return { hashes: [], faults: [{ where, message }] }
}

function hashed({ tokens, faults }: FoundTokens): Hashes {
  const unfit = new Set(faults.map(({ where }) => where))
  const weak = tokens.flatMap(({ token, where }) => {
    const weakness = unfit.has(where) ? undefined : weaknessOf(token)
    return weakness === undefined ? [] : [{ where, message: `${weakness}; take one of 'fedstack token new'` }]
  })
  // a line that stands twice in a file is one token
  const distinct = new Map(tokens.map(({ token, where }) => [token, { hash: sha256(token), where }]))
  return { hashes: [...distinct.values()], faults: [...faults, ...weak] }
}

/** Hashes hide what they are made of, but not the empty text and the best known words. */
const KNOWN_WORDS = ["", "secret", "token", "test", "password", "changeme", "DontUseThisInProduction", "portal"]
const KNOWN_HASHES = new Set(KNOWN_WORDS.map((word) => sha256(word).toString("hex")))

function weakHash(hash: string, where: string): readonly Fault[] {
  if (!KNOWN_HASHES.has(hash.toLowerCase())) return []
  return [{ where, message: "is the hash of an empty or well-known token; take one of 'fedstack token new'" }]
}

function checkDates({ valid_from: from, not_after: end }: Secret, where: string, name: string, now: Date) {
  if (from !== undefined && end !== undefined && from >= end) {
    return {
      faults: [{ where, message: "valid_from is not before not_after: the token would never be valid" }],
      warnings: [],
    }
  }
  if (end === undefined || end > now) return { faults: [], warnings: [] }
  return {
    faults: [],
    warnings: [{ where, message: `this token of ${name} expired on ${end.toISOString()}; remove it` }],
  }
}
