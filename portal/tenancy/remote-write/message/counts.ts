/** How many samples, histograms and exemplars there are, or were written. Elements of the request: once, not once per tenant. */
export interface Counts {
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
}

export const KINDS = ["samples", "histograms", "exemplars"] as const

export const NO_COUNTS: Counts = { samples: 0, histograms: 0, exemplars: 0 }

export const isEqual = (some: Counts, others: Counts): boolean => KINDS.every((kind) => some[kind] === others[kind])

export function sumOf(all: Iterable<Counts>): Counts {
  const sum = { ...NO_COUNTS }
  for (const counts of all) for (const kind of KINDS) sum[kind] += counts[kind]
  return sum
}
