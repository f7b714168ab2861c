import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { ConfigurationError } from "#core/errors.ts"
import { createKeySets } from "./jwt/key-sets.ts"
import { noKeys } from "./jwt/remote-keys.ts"
import { loadPolicy, type PolicyContext } from "./load.ts"
import { createSelectorReader } from "./selectors.ts"
import type { LoadedPolicy } from "./watch.ts"

export const NOW = new Date("2026-11-21T12:00:00Z")

/** Loads a policy without asking any issuer. */
export function load(file: string, changes: Partial<PolicyContext> = {}): Promise<LoadedPolicy> {
  return loadPolicy(file, {
    env: {},
    now: () => NOW,
    keySets: createKeySets(() => noKeys),
    selectors: createSelectorReader(),
    ...changes,
  })
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
