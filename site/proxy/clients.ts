import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import type { Running } from "#core/component.ts"
import { explain, type Fault } from "#core/errors.ts"
import type { Logger } from "#core/log.ts"
import type { Selector } from "#core/promql/selector.ts"
import { watchFiles } from "#core/watch-file.ts"

/** Who may read what. */
export interface Client {
  /** Stands in logs, metrics and messages. */
  readonly name: string
  readonly allowed: readonly Selector[]
}

/** Something that proves to be a client; of a token only the hash is kept. */
export interface Credential {
  readonly sha256: Buffer
  readonly client: Client
}

/** All that authentication and authorisation know; replaced as a whole. */
export interface Policy {
  readonly credentials: readonly Credential[]
}

export interface PolicySource extends Running {
  current(): Policy
  reload(): Promise<void>
}

export interface Reloads {
  /** Called after each attempt to read the file again. */
  reloaded(successful: boolean): void
}

const TOKEN = /^[\w.~+/-]+=*$/

export function sha256(token: string): Buffer {
  return createHash("sha256").update(token).digest()
}

/** One token per line, blank lines left out. The faults never repeat a token. */
export function readTokens(text: string, where: string): { tokens: readonly string[]; faults: readonly Fault[] } {
  const lines = text.split("\n").map((line, index) => ({ token: line.trim(), line: index + 1 }))
  const given = lines.filter(({ token }) => token !== "")
  const faults = given
    .filter(({ token }) => !TOKEN.test(token))
    .map(({ line }) => ({
      where: lines.length === 1 ? where : `${where}:${line}`,
      message: "the token has characters that a bearer token can't have; use letters, digits and -._~+/ only",
    }))
  const empty = { where, message: "holds no token; put a long random one there, such as 'openssl rand -hex 32' makes" }
  return { tokens: given.map(({ token }) => token), faults: given.length === 0 ? [empty] : faults }
}

export async function readTokenFile(file: string): Promise<ReturnType<typeof readTokens>> {
  try {
    return readTokens(await readFile(file, "utf8"), file)
  } catch (error) {
    return { tokens: [], faults: [{ where: file, message: `can't be read: ${explain(error)}` }] }
  }
}

export function policyOf(client: Client, tokens: readonly string[]): Policy {
  return { credentials: tokens.map((token) => ({ sha256: sha256(token), client })) }
}

/** A policy that never changes. */
export function fixedPolicy(policy: Policy): PolicySource {
  return { current: () => policy, reload: () => Promise.resolve(), close: () => Promise.resolve() }
}

/** The tokens of a file, read again when it changes. A faulty file leaves the old ones in force. */
export async function watchTokenFile(
  file: string,
  client: Client,
  tokens: readonly string[],
  reloads: Reloads,
  log: Logger,
): Promise<PolicySource> {
  let policy = policyOf(client, tokens)
  const reload = async (): Promise<void> => {
    const next = await readTokenFile(file)
    if (next.faults.length === 0) {
      policy = policyOf(client, next.tokens)
      log.info({ file, tokens: next.tokens.length }, "read the token file again")
    } else {
      for (const { where, message } of next.faults) log.error({ where, reason: message }, "kept the old tokens")
    }
    reloads.reloaded(next.faults.length === 0)
  }
  const watcher = await watchFiles([file], reload)
  return { current: () => policy, reload, close: () => watcher.close() }
}
