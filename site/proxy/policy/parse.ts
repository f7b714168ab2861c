import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { type ConfigFile, parseYaml } from "#core/config/config-file.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import { type PolicyFile, policySchema } from "./schema.ts"

/** What the worker sends: a policy and the place of each of its paths, or what is wrong. */
export type ParsedPolicy =
  { readonly value: PolicyFile; readonly places: ReadonlyMap<string, string> } | { readonly faults: readonly Fault[] }

/** Characters from which on parsing would delay requests by some tens of milliseconds. */
const LONG = 100_000

/** Parses and validates the text of a policy file. Throws ConfigurationError with every fault. */
export async function parsePolicy(text: string, file: string): Promise<ConfigFile<PolicyFile>> {
  if (text.length < LONG) return parseYaml(text, file, policySchema)
  const worker = new Worker(new URL("parse-worker.ts", import.meta.url), { workerData: { text, file } })
  try {
    const [parsed] = (await once(worker, "message")) as [ParsedPolicy]
    if ("faults" in parsed) throw new ConfigurationError(parsed.faults)
    const { value, places } = parsed
    return { value, where: (path) => places.get(JSON.stringify(path)) ?? file }
  } finally {
    await worker.terminate()
  }
}
