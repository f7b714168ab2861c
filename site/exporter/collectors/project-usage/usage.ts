import type { Server } from "./cloud.ts"
import { type Weights, weightOf, weightsFor } from "./weights.ts"

const MIB_PER_GIB = 1024
const BYTES_PER_MIB = 2 ** 20
const SECONDS_PER_HOUR = 3600

/** Weighted usage of a project's servers. */
export interface Usage {
  /** vCPU hours. */
  readonly vcpuHours: number
  /** What billing systems of the original know as "mb": hours × whole GiB, weighted as if these GiB were MB. */
  readonly legacyMemory: number
  readonly vcpuSeconds: number
  /** Seconds × exact bytes, weighted by the server's MB. */
  readonly memoryByteSeconds: number
}

/** Adds up in the order of the servers, so that the two old values come out equal to the last bit. */
export function usageOf(servers: readonly Server[], weights: Weights): Usage {
  let vcpuHours = 0
  let legacyMemory = 0
  let mibHours = 0
  for (const { hours, vcpus, memoryMb, startedAt } of servers) {
    if (hours <= 0) continue
    const set = weightsFor(weights, startedAt)
    const wholeGib = Math.trunc(memoryMb / MIB_PER_GIB)
    vcpuHours += hours * vcpus * weightOf(set?.vcpus, vcpus)
    legacyMemory += hours * wholeGib * weightOf(set?.memoryMb, wholeGib)
    mibHours += hours * memoryMb * weightOf(set?.memoryMb, memoryMb)
  }
  return {
    vcpuHours,
    legacyMemory,
    vcpuSeconds: vcpuHours * SECONDS_PER_HOUR,
    memoryByteSeconds: mibHours * SECONDS_PER_HOUR * BYTES_PER_MIB,
  }
}

/** Hours from the later of two beginnings to the earlier of two ends, in milliseconds of Unix time; 0 if there are none. */
export function hoursBetween([start, end]: readonly [number, number], [from, to]: readonly [number, number]): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from)) / (SECONDS_PER_HOUR * 1000)
}
