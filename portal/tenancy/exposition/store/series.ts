/** A series, with the newest of its samples in the look-back. */
export interface StoredSeries {
  readonly name: string
  /** Besides the name, in the order of the store. */
  readonly labels: readonly (readonly [name: string, value: string])[]
  /** Milliseconds. */
  readonly timestamp: number
  readonly sample: StoredSample
}

/** A float, or a native histogram as the message `prometheus.Histogram`. */
export type StoredSample = number | Uint8Array
