/** A group of rules as in a rule file, with its fields named as there. Durations as they were written. */
export interface RuleGroup {
  readonly name: string
  readonly interval?: string
  /** Prometheus 2.53 and newer. */
  readonly query_offset?: string
  readonly limit?: number
  /** Added to each rule's; Prometheus 3.0 and newer. */
  readonly labels?: Readonly<Record<string, string>>
  readonly rules: readonly Rule[]
  /** Mimir alone: tenants whose series the rules read. */
  readonly source_tenants?: readonly string[]
  readonly align_evaluation_time_on_interval?: boolean
  /** Of Mimir and Cortex before query_offset. */
  readonly evaluation_delay?: string
}

/** Has `record` or `alert`. */
export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly keep_firing_for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}
