import type { FailureClass } from "#core/http/connection-failure.ts"
import type { StatusReason } from "#core/http/status.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Counts } from "../message/counts.ts"
import type { TenantQueue } from "./tenant-queue.ts"

/** What became of a slice, for a label: few values. */
export type Result =
  "accepted" | FailureClass | StatusReason | "queue_full" | "queue_timeout" | "sender_gone" | "internal"

/** An upstream request that is over. */
export interface FinishedRequest {
  readonly slices: number
  readonly bytes: number
  readonly seconds: number
  readonly failed: boolean
}

/** Of the tenant that is written. */
export interface TenantMetrics {
  /** An upstream request is over. */
  requested(request: FinishedRequest): void
  /** The outcome of a slice is known. */
  settled(result: Result, series: number, written: Counts): void
  /** So many slices shared a request that was refused, and are sent once more, each by itself. */
  resent(slices: number): void
}

export type ForwardQueue = Pick<TenantQueue, "tenant" | "waiting" | "waitingBytes" | "inFlight">

/** What can be read at any time. */
export interface ForwardState {
  /** Of tenants that have, or had, something to send. */
  readonly queues: () => Iterable<ForwardQueue>
  /** Upstreams that were tried, without user and password, and whether they are up. */
  readonly upstreams: () => readonly (readonly [upstream: string, isUp: boolean])[]
}

export interface ForwardMetrics {
  of(tenant: TenantId): TenantMetrics
  watch(state: ForwardState): void
}
