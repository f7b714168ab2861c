import type { TenantId } from "../../tenants/tenant.ts"
import type { Version } from "../message/version.ts"
import type { Slice } from "../split/slice.ts"
import type { ForwardOptions, Outcome } from "./outcome.ts"

/** A slice that waits for its upstream request. */
export interface Waiting {
  readonly slice: Slice
  readonly options: ForwardOptions
  /** When it came, in milliseconds. */
  readonly since: number
  /** It shared a request that was refused. */
  alone: boolean
  timer: NodeJS.Timeout | undefined
  readonly settle: (outcome: Outcome) => void
}

/** What one upstream request may hold. */
export interface BatchBounds {
  readonly elements: number
  readonly bytes: number
}

/** Slices that may share a request: of one group and version. */
interface Lane {
  readonly version: Version
  readonly waiting: Waiting[]
}

/** What waits of all tenants together. */
export interface AllWaiting {
  bytes: number
  tenants: number
}

/** What waits and is in flight for one tenant. */
export class TenantQueue {
  readonly tenant: TenantId
  /** Oldest first: a lane with nothing in it is removed. */
  readonly #lanes = new Map<string, Lane>()
  /** Whether it stands in the line of tenants whose turn comes. */
  inLine = false
  inFlight = 0
  /** Its last request took long, or takes long still. */
  isSlow = false
  waiting = 0
  waitingBytes = 0
  /** Milliseconds: until then no slices share a request. */
  apartUntil = 0
  /** How many shared requests in a row failed. */
  apartFailures = 0

  readonly #all: AllWaiting

  constructor(tenant: TenantId, all: AllWaiting) {
    this.tenant = tenant
    this.#all = all
  }

  /** One that shared a refused request goes before the others. */
  add(waiting: Waiting): void {
    const { version, group, bytes } = waiting.slice
    const key = `${version} ${group}`
    const lane = this.#lanes.get(key) ?? { version, waiting: [] }
    this.#lanes.set(key, lane)
    if (waiting.alone) lane.waiting.unshift(waiting)
    else lane.waiting.push(waiting)
    if (this.waiting === 0) this.#all.tenants++
    this.waiting++
    this.waitingBytes += bytes
    this.#all.bytes += bytes
  }

  /** The slices of the next request, those that wait longest. */
  take({ elements, bytes }: BatchBounds, time: number): readonly Waiting[] {
    const [key, lane] = this.#lanes.entries().next().value ?? []
    if (key === undefined || lane === undefined) return []
    const taken: Waiting[] = []
    let [sumElements, sumBytes] = [0, 0]
    for (const waiting of lane.waiting) {
      const { slice } = waiting
      sumElements += elementsOf(slice)
      sumBytes += slice.bytes
      const fits = time >= this.apartUntil && sumElements <= elements && sumBytes <= bytes
      if (taken.length > 0 && (!fits || taken[0]?.alone === true)) break
      taken.push(waiting)
    }
    lane.waiting.splice(0, taken.length)
    for (const waiting of taken) this.#left(waiting)
    this.#lanes.delete(key)
    if (lane.waiting.length > 0) this.#lanes.set(key, lane) // the other lanes' turn comes before
    return taken
  }

  /** False where it does not wait any more. */
  remove(waiting: Waiting): boolean {
    const { version, group } = waiting.slice
    const key = `${version} ${group}`
    const lane = this.#lanes.get(key)
    const index = lane?.waiting.indexOf(waiting) ?? -1
    if (lane === undefined || index < 0) return false
    lane.waiting.splice(index, 1)
    if (lane.waiting.length === 0) this.#lanes.delete(key)
    this.#left(waiting)
    return true
  }

  #left({ slice }: Waiting): void {
    this.waiting--
    if (this.waiting === 0) this.#all.tenants--
    this.waitingBytes -= slice.bytes
    this.#all.bytes -= slice.bytes
  }
}

const elementsOf = ({ counts, metadata }: Slice): number =>
  counts.samples + counts.histograms + counts.exemplars + metadata
