import { parentPort, workerData } from "node:worker_threads"
import { parseYaml, type Path } from "#core/config/config-file.ts"
import { ConfigurationError } from "#core/errors.ts"
import type { ParsedPolicy } from "./parse.ts"
import { policySchema } from "./schema.ts"

// large policies are parsed here, so that requests go on meanwhile
if (parentPort !== null) {
  const { text, file } = workerData as { text: string; file: string }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort.postMessage(parse(text, file))
}

function parse(text: string, file: string): ParsedPolicy {
  try {
    const { value, where } = parseYaml(text, file, policySchema)
    return { value, places: new Map([...pathsIn(value)].map((path) => [JSON.stringify(path), where(path)])) }
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
