import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { parseYaml, type Path } from "#core/config/config-file.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type PolicyFile, policySchema } from "./schema.ts"

/** A policy file that is right by itself, with the place of everything in it. */
export interface ReadPolicy {
  readonly value: PolicyFile
  readonly where: (path: Path) => string
}

/** What can be sent between threads. */
export type PlainReading =
  { readonly value: PolicyFile; readonly places: ReadonlyMap<string, string> } | { readonly faults: readonly Fault[] }

/** Characters from which on parsing would hold up requests: some tens of milliseconds. */
const LONG = 100_000

/** Reads and validates a policy file. Throws ConfigurationError with every fault. */
export async function readPolicy(file: string, read: ReadText): Promise<ReadPolicy> {
  const text = read(file)
  if (text.length < LONG) return parseYaml(text, file, policySchema)
  const reading = await readInWorker(text, file)
  if ("faults" in reading) throw new ConfigurationError(reading.faults)
  const { value, places } = reading
  return { value, where: (path) => places.get(JSON.stringify(path)) ?? file }
}

async function readInWorker(text: string, file: string): Promise<PlainReading> {
  const worker = new Worker(new URL("read-worker.ts", import.meta.url), { workerData: { text, file } })
  try {
    const [reading] = (await once(worker, "message")) as [PlainReading]
    return reading
  } finally {
    await worker.terminate()
  }
}

export function readPlainly(text: string, file: string): PlainReading {
  try {
    const { value, where } = parseYaml(text, file, policySchema)
    const places = new Map<string, string>()
    for (const path of pathsIn(value)) places.set(JSON.stringify(path), where(path))
    return { value, places }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { faults: error.faults }
  }
}

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  yield path
  if (typeof value !== "object" || value === null || value instanceof Date) return
  for (const [key, inner] of Object.entries(value)) {
    yield* pathsIn(inner, [...path, Array.isArray(value) ? Number(key) : key])
  }
}
