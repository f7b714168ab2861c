import type { Family } from "#core/metrics/exposition.ts"

/** The original's, written as its Python client writes them. */
const BUCKETS = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf".split(" ")

/** The histogram of how long collections took, with the time of its creation beside it, as in the original. */
export function collectionTime(clusterName: string, created: Date) {
  const labels = { cluster_name: clusterName }
  const counts = new Map(BUCKETS.map((le) => [le, 0]))
  let [count, sum] = [0, 0]
  return {
    observe(seconds: number): void {
      count += 1
      sum += seconds
      for (const [le, value] of counts) if (le === "+Inf" || seconds <= Number(le)) counts.set(le, value + 1)
    },
    families: (): readonly Family[] => [
      {
        name: "opa_data_exporter_collection_time",
        help: "Time it takes to collect metrics",
        type: "histogram",
        samples: [
          ...[...counts].map(([le, value]) => ({ suffix: "_bucket", labels: { ...labels, le }, value })),
          { suffix: "_count", labels, value: count },
          { suffix: "_sum", labels, value: sum },
        ],
      },
      {
        name: "opa_data_exporter_collection_time_created",
        help: "When the histogram of collection times began, in Unix time",
        type: "gauge",
        samples: [{ labels, value: created.getTime() / 1000 }],
      },
    ],
  }
}
