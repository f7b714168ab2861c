import { basename, dirname } from "node:path"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { SenderFiles } from "./entries.ts"
import { loadSenders, type SendersContext } from "./load.ts"
import type { Senders } from "./sender.ts"

const NOW = new Date("2026-11-30T12:00:00Z")

/** Loads senders without contacting any issuer. */
export function load(
  file: string | SenderFiles,
  changes: Partial<SendersContext> = {},
  read = readText,
): Promise<Senders> {
  const keySets = createKeySets(() => noKeys)
  const context = { env: {}, now: () => NOW, keySets, selectors: createSelectorReader(), ...changes }
  return loadSenders(typeof file === "string" ? { senders: file } : file, context, read)
}

/** All faults of files in one folder, which is left out. */
export async function faultsOf(files: string | SenderFiles, changes: Partial<SendersContext> = {}): Promise<string> {
  const file = typeof files === "string" ? files : (files.senders ?? files.sites ?? "")
  try {
    await load(files, changes)
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.message.replaceAll(`${dirname(file)}/`, "")}\n`
    throw error
  }
  return `${basename(file)} has no fault\n`
}
