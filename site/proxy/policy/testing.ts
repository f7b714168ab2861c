import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { loadPolicy, type PolicyContext } from "./load.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { Client, Policy } from "./types.ts"

export const NOW = new Date("2026-11-21T12:00:00Z")

/** A client that shares this. */
export function clientOf(name: string, match: readonly string[] = [], enforce = false): Client {
  const shared = match.map((text, index) => ({ selector: parseSelector(text), where: `match[${index}]` }))
  const limits = {
    ...{ concurrent: 1, requestsPerSecond: 1, responseBytes: 1, series: 1, upstreamTimeout: 1 },
    ...{ selectors: 1, selectorCharacters: 1 },
  }
  return { name, shared, enforce, limits, where: name }
}

/** Loads a policy without contacting any issuer. */
export function load(file: string, changes: Partial<PolicyContext> = {}, read = readText): Promise<Policy> {
  const keySets = createKeySets(() => noKeys)
  const context = { env: {}, now: () => NOW, keySets, selectors: createSelectorReader(), ...changes }
  return loadPolicy(file, context, read)
}

/** All faults of a policy, the folder left out. */
export async function faultsOf(file: string, changes: Partial<PolicyContext> = {}): Promise<string> {
  try {
    await load(file, changes)
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.message.replaceAll(`${dirname(file)}/`, "")}\n`
    throw error
  }
  return `${basename(file)} has no fault\n`
}

export const readExpected = (file: string): Promise<string> => readFile(file.replace(/\.yaml$/, ".txt"), "utf8")
