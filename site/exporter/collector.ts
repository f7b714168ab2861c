import type { Family } from "#core/metrics/exposition.ts"

/** Something that reads metrics from somewhere. It knows nothing of HTTP, schedules or its own failures. */
export interface Collector {
  readonly name: string
  /** All families as they are now, complete, or an error: never a part of them, but for SomeFailed. */
  collect(signal: AbortSignal): Promise<Iterable<Family>>
}

/** Thrown by a collector of several parts that could not read all of them. What it has is complete for the others. */
export class SomeFailed extends Error {
  override readonly name = "SomeFailed"
  readonly families: Iterable<Family>
  /** Whether some of it was read now; if not, it is what is left of earlier runs, and no younger than they were. */
  readonly anyRead: boolean

  constructor(message: string, families: Iterable<Family>, options: ErrorOptions & { readonly anyRead: boolean }) {
    super(message, options)
    this.families = families
    this.anyRead = options.anyRead
  }
}
