import type { Counts } from "../message/counts.ts"

/**
 * What is wrong with what is set aside: its labels, references or the lack of samples; no tenant, or none that is accepted
 * of its sender; more tenants than a request may have; not one of those that its sender's selectors select.
 */
export const REJECTION_KINDS = ["malformed", "tenant", "too_many_tenants", "not_shared"] as const
export type RejectionKind = (typeof REJECTION_KINDS)[number]

export type RejectionKinds = Readonly<Record<RejectionKind, number>>

/** Series, or records of metadata, that were not sent, and why. */
export interface Rejected {
  /** Empty where it is no tenant's. */
  readonly tenant: string
  readonly reason: string
  readonly series: number
  /** Of the first of them, shortened: `up{job="a"}`. */
  readonly example: string
}

const MOST_REASONS = 3
const MOST_LINES = 60

/** What is set aside of a request: counted exactly, with the first reasons of each tenant. */
export class Rejections {
  readonly counts = { samples: 0, histograms: 0, exemplars: 0 }
  series = 0
  /** Of them, by what is wrong. */
  readonly kinds: Record<RejectionKind, number> = { malformed: 0, tenant: 0, too_many_tenants: 0, not_shared: 0 }
  readonly #lines = new Map<string, Rejected & { series: number }>()
  /** Which the series before had. */
  #last: (Rejected & { series: number }) | undefined
  readonly #reasons = new Map<string, number>()

  /**
   * `tenant` and `reason` are bounded and safe to print; `example` is called for the first series of a line only.
   * `tenant` is empty where it is no tenant's.
   */
  add(tenant: string, reason: string, counts: Counts, example: () => string, kind: RejectionKind): void {
    this.series++
    this.kinds[kind]++
    this.counts.samples += counts.samples
    this.counts.histograms += counts.histograms
    this.counts.exemplars += counts.exemplars
    const last = this.#last
    if (last !== undefined && last.reason === reason && last.tenant === tenant) {
      last.series++
      return
    }
    const key = `${tenant}\n${reason}`
    const line = this.#lines.get(key)
    if (line !== undefined) {
      line.series++
      this.#last = line
      return
    }
    const reasons = this.#reasons.get(tenant) ?? 0
    if (reasons === MOST_REASONS || this.#lines.size === MOST_LINES) return
    this.#reasons.set(tenant, reasons + 1)
    this.#lines.set(key, { tenant, reason, series: 1, example: example() })
  }

  lines(): readonly Rejected[] {
    return [...this.#lines.values()]
  }
}
