import type { Family } from "#core/exposition.ts"

/** Something that reads metrics from somewhere. It knows nothing of HTTP, schedules or its own failures. */
export interface Collector {
  readonly name: string
  /** All families as they are now, complete, or an error: never a part of them. */
  collect(signal: AbortSignal): Promise<readonly Family[]>
}
