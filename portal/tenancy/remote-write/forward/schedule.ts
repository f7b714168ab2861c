import type { TenantId } from "../../tenants/tenant.ts"
import { type ForwardBounds, SHARED_BYTES } from "./bounds.ts"
import { type AllWaiting, TenantQueue, type Waiting } from "./tenant-queue.ts"

type ScheduleBounds = Pick<
  ForwardBounds,
  "parallel" | "parallelSlow" | "parallelOfTenant" | "slowAfter" | "sharedElements" | "tenants"
>

/** Sends slices in one request, and resolves when it is over. It never rejects. */
type Start = (queue: TenantQueue, slices: readonly Waiting[]) => Promise<void>

/** Requests of a kind, and the tenants whose turn comes. */
class Line {
  readonly most: number
  inFlight = 0
  readonly #waiting: TenantQueue[] = []

  constructor(most: number) {
    this.most = most
  }

  join(queue: TenantQueue): void {
    queue.inLine = true
    this.#waiting.push(queue)
  }

  /** Undefined where none waits, or nothing is free. */
  next(): TenantQueue | undefined {
    const queue = this.inFlight < this.most ? this.#waiting.shift() : undefined
    if (queue !== undefined) queue.inLine = false
    return queue
  }
}

/**
 * Whose request is next. Tenants take turns, so one with much to send waits for its own requests, not the others for them. While
 * as many requests of a tenant are in flight as may be, its further slices wait, and leave together. `now`: milliseconds.
 */
export function createSchedule(bounds: ScheduleBounds, start: Start, now: () => number) {
  const queues = new Map<TenantId, TenantQueue>()
  const usual = new Line(bounds.parallel)
  const slow = new Line(bounds.parallelSlow)
  const shared = { elements: bounds.sharedElements, bytes: SHARED_BYTES }
  const all: AllWaiting = { bytes: 0, tenants: 0 }
  let planned = false

  const lineOf = ({ isSlow }: TenantQueue): Line => (isSlow ? slow : usual)

  const mayStart = ({ waiting, inFlight, isSlow }: TenantQueue): boolean =>
    waiting > 0 && inFlight < (isSlow ? 1 : bounds.parallelOfTenant)

  function standInLine(queue: TenantQueue): void {
    if (!queue.inLine && mayStart(queue)) lineOf(queue).join(queue)
  }

  /** At the end of this turn of the event loop: what other senders send in the same turn shares the request. */
  function plan(): void {
    if (planned) return
    planned = true
    setImmediate(() => {
      planned = false
      startAll(usual)
      startAll(slow)
    })
  }

  function startAll(line: Line): void {
    for (let queue = line.next(); queue !== undefined; queue = line.next()) {
      if (mayStart(queue) && lineOf(queue) === line) {
        const slices = queue.take(shared, now())
        if (slices.length > 0) void run(line, queue, slices)
      }
      standInLine(queue)
    }
  }

  async function run(line: Line, queue: TenantQueue, slices: readonly Waiting[]): Promise<void> {
    let within = line
    const turnsSlow = setTimeout(() => {
      queue.isSlow = true
      if (within === slow || slow.inFlight >= slow.most) return
      within.inFlight--
      within = slow
      within.inFlight++
      plan()
    }, bounds.slowAfter * 1000)
    const begin = now()
    within.inFlight++
    queue.inFlight++
    await start(queue, slices)
    clearTimeout(turnsSlow)
    if (now() - begin < bounds.slowAfter * 1000) queue.isSlow = false
    within.inFlight--
    queue.inFlight--
    standInLine(queue)
    plan()
  }

  /** Only those that have nothing in flight: no new tenant takes a place from another that sends. */
  function forgetIdle(): void {
    const time = now()
    for (const [tenant, { waiting, inFlight, apartUntil }] of queues)
      if (waiting + inFlight === 0 && apartUntil <= time) queues.delete(tenant)
  }

  return {
    /** What waits. */
    all,
    /** Undefined where too many tenants have something in flight or waiting. */
    queueOf(tenant: TenantId): TenantQueue | undefined {
      const known = queues.get(tenant)
      if (known !== undefined) return known
      if (queues.size >= bounds.tenants) forgetIdle()
      if (queues.size >= bounds.tenants) return undefined
      const queue = new TenantQueue(tenant, all)
      queues.set(tenant, queue)
      return queue
    },
    add(queue: TenantQueue, waiting: Waiting): void {
      queue.add(waiting)
      standInLine(queue)
      plan()
    },
    queues: () => queues.values(),
  }
}
