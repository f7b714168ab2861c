import type { Server } from "./cloud.ts"
import { type Weights, weightOf, weightsFor } from "./weights.ts"

const MIB_PER_GIB = 1024
const BYTES_PER_MIB = 2 ** 20
const SECONDS_PER_HOUR = 3600
/** Of a MiB for an hour. */
const BYTE_SECONDS = SECONDS_PER_HOUR * BYTES_PER_MIB

/** What is exported in base units. */
export interface Amounts {
  readonly vcpuSeconds: number
  /** Seconds × exact bytes, weighted by the server's MB. */
  readonly memoryByteSeconds: number
}

/** Weighted usage of a project's servers. */
export interface Usage extends Amounts {
  /** vCPU hours. */
  readonly vcpuHours: number
  /** What billing systems of the original know as "mb": hours × whole GiB, weighted as if these GiB were MB. */
  readonly legacyMemory: number
  /** The part of the usage that lies after a moment of interest. */
  readonly fresh: Amounts
  /** The cloud's present as far as living servers tell, in Unix time, or the end of the period if that is earlier; else 0. */
  readonly countedTo: number
  /** When the last of the usage was, in Unix time; 0 if there is none. */
  readonly usedTo: number
}

/** Moments in Unix time. */
export interface Moments {
  readonly start: number
  /** From when on usage is fresh. */
  readonly fresh: number
}

/** Adds up in the order of the servers, so that the two old values come out equal to the last bit. */
export function usageOf(servers: readonly Server[], weights: Weights, moments: Moments): Usage {
  let vcpuHours = 0
  let legacyMemory = 0
  let mibHours = 0
  let freshVcpuHours = 0
  let freshMibHours = 0
  let countedTo = 0
  let usedTo = 0
  for (const { hours, vcpus, memoryMb, startedAt, endedAt } of servers) {
    if (hours <= 0) continue
    const set = weightsFor(weights, startedAt)
    const wholeGib = Math.trunc(memoryMb / MIB_PER_GIB)
    const vcpuWeight = weightOf(set?.vcpus, vcpus)
    const memoryWeight = weightOf(set?.memoryMb, memoryMb)
    vcpuHours += hours * vcpus * vcpuWeight
    legacyMemory += hours * wholeGib * weightOf(set?.memoryMb, wholeGib)
    mibHours += hours * memoryMb * memoryWeight
    // from the cloud's own hours, which end at its present even where the period does not
    const end = Math.max(moments.start, startedAt) + hours * SECONDS_PER_HOUR
    const freshHours = Math.min(hours, Math.max(0, end - moments.fresh) / SECONDS_PER_HOUR)
    freshVcpuHours += freshHours * vcpus * vcpuWeight
    freshMibHours += freshHours * memoryMb * memoryWeight
    usedTo = Math.max(usedTo, end)
    if (endedAt === Infinity) countedTo = Math.max(countedTo, end)
  }
  return {
    vcpuHours,
    legacyMemory,
    vcpuSeconds: vcpuHours * SECONDS_PER_HOUR,
    memoryByteSeconds: mibHours * BYTE_SECONDS,
    fresh: { vcpuSeconds: freshVcpuHours * SECONDS_PER_HOUR, memoryByteSeconds: freshMibHours * BYTE_SECONDS },
    countedTo,
    usedTo,
  }
}

/** Hours from the later of two beginnings to the earlier of two ends, in milliseconds of Unix time; 0 if there are none. */
export function hoursBetween([start, end]: readonly [number, number], [from, to]: readonly [number, number]): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from)) / (SECONDS_PER_HOUR * 1000)
}
