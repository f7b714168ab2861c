import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { loadPolicy, type PolicyContext } from "./load.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { Policy } from "./types.ts"

export const NOW = new Date("2026-11-21T12:00:00Z")

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
