/** Series whose label names a tenant that is not accepted, so that it counts as missing. They are sent all the same. */
export interface Ignored {
  readonly series: number
  /** Bounded: the first of them, of different tenants. */
  readonly reasons: readonly string[]
}

const MOST_REASONS = 3

/** Counts those of a request. */
export class IgnoredLabels implements Ignored {
  series = 0
  readonly reasons: string[] = []

  add(reason: string): void {
    this.series++
    if (this.reasons.length < MOST_REASONS && !this.reasons.includes(reason)) this.reasons.push(reason)
  }
}
