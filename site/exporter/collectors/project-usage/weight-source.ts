import { Gauge } from "prom-client"
import { z } from "zod"
import { readTomlFile } from "#core/config/config-file.ts"
import { defineError, explain } from "#core/errors.ts"
import type { ExporterContext } from "../../collector.ts"
import { type JsonEndpoint, readEndpoint } from "./endpoint.ts"
import { sortWeights, type Weights } from "./weights.ts"

export const weightsUnknown = defineError(
  "WEIGHTS_UNKNOWN",
  503,
  "There are no weights yet, and usage without them would be wrong: {reason}",
)

export interface WeightSource {
  (signal: AbortSignal): Promise<Weights>
  /** Why those that were read last are older than they should be; undefined where they are not. */
  readonly failure?: () => string | undefined
}

export const noWeights: WeightSource = () => Promise.resolve([])

const number = z.number("must be a number")
const bucket = { value: number, weight: number.nonnegative("must be 0 or more") }
const set = <Bucket extends z.ZodType>(one: Bucket) => ({
  resource_set_timestamp: number,
  vcpus: z.array(one, "must be a list"),
  memory_mb: z.array(one, "must be a list"),
})
const inFile = z.strictObject({ weights: z.array(z.strictObject(set(z.strictObject(bucket))), "must be a list") })
/** An endpoint may have more fields than those that are read here. */
const inResponse = z.array(z.object(set(z.object(bucket))), "must be a list")

export async function weightsFromFile(file: string): Promise<Weights> {
  const { value } = await readTomlFile(file, inFile)
  return toWeights(value.weights)
}

export async function weightsFromEndpoint(endpoint: JsonEndpoint, signal: AbortSignal): Promise<Weights> {
  return toWeights(await readEndpoint(endpoint, inResponse, signal))
}

const toWeights = (sets: z.infer<typeof inResponse>): Weights =>
  sortWeights(sets.map(({ resource_set_timestamp: from, vcpus, memory_mb: memoryMb }) => ({ from, vcpus, memoryMb })))

interface RefreshOptions extends Pick<ExporterContext, "registry" | "log" | "now"> {
  /** Every how many reads the weights are loaded anew. */
  readonly every: number
}

/** Keeps the last good weights where loading fails, and tries again at the next read. Throws as long as there never were any. */
export function refreshed(load: WeightSource, { every, registry, log, now }: RefreshOptions): WeightSource {
  const up = new Gauge({
    name: "fedstack_project_usage_weights_up",
    help: "1 if the weights could be read the last time, 0 if not.",
    registers: [registry],
  })
  const lastSuccess = new Gauge({
    name: "fedstack_project_usage_weights_last_success_timestamp_seconds",
    help: "When the weights in use were read, in Unix time; 0 if never.",
    registers: [registry],
  })
  let good: Weights | undefined
  let readsLeft = 0
  let failure: string | undefined
  const read = async (signal: AbortSignal): Promise<Weights> => {
    if (good !== undefined && readsLeft > 0) {
      readsLeft -= 1
      return good
    }
    try {
      good = await load(signal)
      readsLeft = every - 1
      failure = undefined
      up.set(1)
      lastSuccess.set(now().getTime() / 1000)
      if (good.length === 0) log.warn("the weights are empty: every weight is 1")
      return good
    } catch (error) {
      up.set(0)
      if (good === undefined) throw weightsUnknown({ reason: explain(error) }, { cause: error })
      failure = `keeping the previous ones: ${explain(error)}`
      return good
    }
  }
  return Object.assign(read, { failure: () => failure })
}
