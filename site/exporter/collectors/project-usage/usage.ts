import { type Weights, weightOf, weightsFor } from "./weights.ts"

const MIB_PER_GIB = 1024
const BYTES_PER_MIB = 2 ** 20
const SECONDS_PER_HOUR = 3600
/** Of a MiB for an hour. */
const BYTE_SECONDS = SECONDS_PER_HOUR * BYTES_PER_MIB

/** A server as its cloud accounts for it. */
export interface Server {
  readonly vcpus: number
  /** Memory in MiB, as in a flavor. */
  readonly memoryMb: number
  /** Disk in GiB, as in a flavor. */
  readonly diskGb: number
  /** Hours that it existed within the period. 0 or less counts nothing. */
  readonly hours: number
  /** When it was started, in Unix time; this chooses its weights. */
  readonly startedAt: number
  /** When it ended, in Unix time; Infinity while it lives. */
  readonly endedAt: number
}

/** What is exported in base units. */
export interface Amounts {
  readonly vcpuSeconds: number
  /** Seconds × exact bytes, weighted by the server's MB. */
  readonly memoryByteSeconds: number
}

/** What a project has at the end of the period. */
export interface InUse {
  readonly servers: number
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

/** Weighted usage of a project's servers. */
export interface ProjectUsage extends Amounts {
  /** vCPU hours. */
  readonly vcpuHours: number
  /** What billing systems of the original know as "mb": hours × whole GiB, weighted as if these GiB were MB. */
  readonly legacyMemory: number
  /** The part of the usage that lies after a moment of interest. */
  readonly fresh: Amounts
  /** The cloud's present as far as living servers show it, in Unix time; 0 if none lives. */
  readonly countedTo: number
  /** When the last of the usage was, in Unix time; 0 if there is none. */
  readonly usedTo: number
  readonly inUse: InUse
}

/** Moments in Unix time. */
export interface Moments {
  readonly start: number
  readonly end: number
  /** From when on usage of a project is fresh. */
  readonly freshSince: (key: string) => number
}

/** Adds up servers as they are read: those of a large cloud need never all be there at once. */
export class UsageSums {
  readonly #weights: Weights
  readonly #moments: Moments
  readonly #sums = new Map<string, Sum>()
  readonly #parts = new Map<string, Set<string>>()

  constructor(weights: Weights, moments: Moments) {
    this.#weights = weights
    this.#moments = moments
  }

  /** A server of a project, or of a part of it, which is a project of its own. */
  add(project: string, server: Server, part?: string): void {
    let key = project
    if (part !== undefined) {
      key = partKey(project, part)
      this.#parts.set(project, (this.#parts.get(project) ?? new Set()).add(part))
    }
    let sum = this.#sums.get(key)
    if (sum === undefined) this.#sums.set(key, (sum = new Sum(this.#moments.freshSince(key))))
    sum.add(server, this.#weights, this.#moments)
  }

  /** The parts of a project, in the order of their first servers. */
  partsOf(project: string): readonly string[] {
    return [...(this.#parts.get(project) ?? [])]
  }

  of(key: string): ProjectUsage {
    return (this.#sums.get(key) ?? new Sum(0)).usage()
  }
}

/** What a part of a project is remembered by. */
export const partKey = (project: string, part: string): string => `${project}/${part}`

class Sum {
  readonly #freshSince: number
  readonly #usage = { vcpuHours: 0, legacyMemory: 0, countedTo: 0, usedTo: 0 }
  readonly #inUse = { servers: 0, vcpus: 0, memoryMb: 0, diskGb: 0 }
  #mibHours = 0
  #freshVcpuHours = 0
  #freshMibHours = 0

  constructor(freshSince: number) {
    this.#freshSince = freshSince
  }

  /** In the order of the cloud's list, so that the two old values come out equal to the last bit. */
  add({ vcpus, memoryMb, diskGb, hours, startedAt, endedAt }: Server, weights: Weights, moments: Moments): void {
    if (startedAt <= moments.end && endedAt > moments.end) {
      const inUse = this.#inUse
      inUse.servers += 1
      inUse.vcpus += vcpus
      inUse.memoryMb += memoryMb
      inUse.diskGb += diskGb
    }
    if (hours <= 0) return
    const set = weightsFor(weights, startedAt)
    const wholeGib = Math.trunc(memoryMb / MIB_PER_GIB)
    const vcpuWeight = weightOf(set?.vcpus, vcpus)
    const memoryWeight = weightOf(set?.memoryMb, memoryMb)
    const usage = this.#usage
    usage.vcpuHours += hours * vcpus * vcpuWeight
    usage.legacyMemory += hours * wholeGib * weightOf(set?.memoryMb, wholeGib)
    this.#mibHours += hours * memoryMb * memoryWeight
    // from the cloud's own hours, which end at its present even where the period does not
    const end = Math.max(moments.start, startedAt) + hours * SECONDS_PER_HOUR
    const freshHours = Math.min(hours, Math.max(0, end - this.#freshSince) / SECONDS_PER_HOUR)
    this.#freshVcpuHours += freshHours * vcpus * vcpuWeight
    this.#freshMibHours += freshHours * memoryMb * memoryWeight
    usage.usedTo = Math.max(usage.usedTo, end)
    if (endedAt === Infinity) usage.countedTo = Math.max(usage.countedTo, end)
  }

  usage(): ProjectUsage {
    const amounts = (vcpuHours: number, mibHours: number): Amounts => ({
      vcpuSeconds: vcpuHours * SECONDS_PER_HOUR,
      memoryByteSeconds: mibHours * BYTE_SECONDS,
    })
    return {
      ...this.#usage,
      ...amounts(this.#usage.vcpuHours, this.#mibHours),
      fresh: amounts(this.#freshVcpuHours, this.#freshMibHours),
      inUse: this.#inUse,
    }
  }
}

/** Hours from the later of two beginnings to the earlier of two ends, in milliseconds of Unix time; 0 if there are none. */
export function hoursBetween([start, end]: readonly [number, number], [from, to]: readonly [number, number]): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from)) / (SECONDS_PER_HOUR * 1000)
}
