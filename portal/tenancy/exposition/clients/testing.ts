import { basename, dirname } from "node:path"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { TenantPolicy } from "./client.ts"
import { type ClientsContext, loadClients } from "./load.ts"

export const NOW = new Date("2026-11-21T12:00:00Z")

/** Loads a file of clients without contacting any issuer. */
export function load(file: string, changes: Partial<ClientsContext> = {}, read = readText): Promise<TenantPolicy> {
  const keySets = createKeySets(() => noKeys)
  return loadClients(file, { env: {}, now: () => NOW, keySets, selectors: createSelectorReader(), ...changes }, read)
}

/** All faults of a file, its folder left out. */
export async function faultsOf(file: string, changes: Partial<ClientsContext> = {}): Promise<string> {
  try {
    await load(file, changes)
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.message.replaceAll(`${dirname(file)}/`, "")}\n`
    throw error
  }
  return `${basename(file)} has no fault\n`
}
