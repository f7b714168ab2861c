import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { type ConfigFile, parseYaml } from "#core/config/config-file.ts"
import { ConfigurationError, explain, type Fault } from "#core/errors.ts"
import { type PolicyFile, policySchema } from "./schema.ts"

/** What the worker sends: a policy and the place of each of its paths, or what is wrong. */
export type ParsedPolicy =
  { readonly value: PolicyFile; readonly places: ReadonlyMap<string, string> } | { readonly faults: readonly Fault[] }

/** Characters from which on parsing would delay requests by some tens of milliseconds. */
const LONG = 100_000

/** Parses and validates the text of a policy file. Throws ConfigurationError with every fault. */
export async function parsePolicy(text: string, file: string, warnings: Fault[]): Promise<ConfigFile<PolicyFile>> {
  const worker = text.length < LONG ? undefined : startWorker(text, file, warnings)
  if (worker === undefined) return parseYaml(text, file, policySchema)
  const ended = new AbortController()
  worker.once("exit", (code) => ended.abort(new Error(`the thread that reads it ended with ${code}`)))
  try {
    const [parsed] = (await once(worker, "message", { signal: ended.signal })) as [ParsedPolicy]
    if ("faults" in parsed) throw new ConfigurationError(parsed.faults)
    const { value, places } = parsed
    return { value, where: (path) => places.get(JSON.stringify(path)) ?? file }
  } catch (error) {
    throw ended.signal.aborted && !(error instanceof ConfigurationError) ? ended.signal.reason : error
  } finally {
    await worker.terminate()
  }
}

/** Undefined where the process may have no more threads: then requests wait, rather than the policy. */
function startWorker(text: string, file: string, warnings: Fault[]): Worker | undefined {
  try {
    return new Worker(new URL("parse-worker.ts", import.meta.url), { workerData: { text, file } })
  } catch (error) {
    const message = `was read without a thread of its own, as none can be started (${explain(error)}): requests waited meanwhile`
    warnings.push({ where: file, message })
    return undefined
  }
}
