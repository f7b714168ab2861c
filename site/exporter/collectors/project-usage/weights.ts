export interface Bucket {
  /** The largest amount that this weight is for. */
  readonly value: number
  readonly weight: number
}

/** Weights for servers that were started at or after a moment, in Unix time. */
export interface WeightSet {
  readonly from: number
  readonly vcpus: readonly Bucket[]
  readonly memoryMb: readonly Bucket[]
}

/** Oldest set first, buckets by rising value. */
export type Weights = readonly WeightSet[]

/** Sorts for the look-up. Of two sets of one moment, or two buckets of one value, the one written last counts. */
export function sortWeights(sets: readonly WeightSet[]): Weights {
  return lastOfEach(
    sets.map(({ from, vcpus, memoryMb }) => ({
      from,
      vcpus: lastOfEach(vcpus, ({ value }) => value),
      memoryMb: lastOfEach(memoryMb, ({ value }) => value),
    })),
    ({ from }) => from,
  )
}

function lastOfEach<T>(items: readonly T[], keyOf: (item: T) => number): T[] {
  const byKey = new Map(items.map((item) => [keyOf(item), item]))
  return [...byKey].toSorted(([a], [b]) => a - b).map(([, item]) => item)
}

/** The latest set that is not younger than the server, else the oldest; undefined if there is none at all. */
export function weightsFor(weights: Weights, startedAt: number): WeightSet | undefined {
  return weights.findLast(({ from }) => from <= startedAt) ?? weights[0]
}

/** The weight of the first bucket that holds the amount, else that of the largest, else 1. */
export function weightOf(buckets: readonly Bucket[] | undefined, amount: number): number {
  return (buckets?.find(({ value }) => amount <= value) ?? buckets?.at(-1))?.weight ?? 1
}
