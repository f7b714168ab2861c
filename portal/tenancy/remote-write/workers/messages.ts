import type { Fault } from "#core/errors.ts"
import type { LimitMemory } from "#core/limits/shared-limits.ts"
import type { Address } from "#core/config/settings.ts"
import type { SharedEntry } from "../outcome/resends.ts"
import type { PackedValues } from "./packed-values.ts"

/** What a worker begins with. */
export interface WorkerStart {
  readonly values: PackedValues
  readonly addresses: readonly Address[]
  readonly level: string
  /** Its number among the threads that share the limits. */
  readonly number: number
  readonly limits: LimitMemory
  readonly env: Readonly<Record<string, string | undefined>>
}

/** An error that ends the start, as plain data. */
export interface PlainError {
  readonly kind: "usage" | "configuration" | "known" | "other"
  readonly message: string
  readonly code: string
  readonly faults: readonly Fault[]
}

export type ToWorker =
  | { readonly kind: "remember"; readonly entry: SharedEntry }
  | { readonly kind: "collect"; readonly id: number }
  | { readonly kind: "exposition"; readonly id: number; readonly text: string; readonly type: string }
  | { readonly kind: "reload"; readonly id: number }
  | { readonly kind: "close" }

export type FromWorker =
  | { readonly kind: "started"; readonly addresses: readonly Address[] }
  | { readonly kind: "failed"; readonly error: PlainError }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "remember"; readonly entry: SharedEntry }
  /** The metrics of this worker, as prom-client has them. */
  | { readonly kind: "collected"; readonly id: number; readonly metrics: readonly object[] }
  /** It was asked for the metrics of all. */
  | { readonly kind: "expose"; readonly id: number }
  | { readonly kind: "reloaded"; readonly id: number }
  | { readonly kind: "ready"; readonly reason: string | undefined }
