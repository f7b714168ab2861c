import type { Family } from "#core/metrics/exposition.ts"

/** The original's, written as its Python client writes them. */
const BUCKETS = [
  ["0.005", 0.005],
  ["0.01", 0.01],
  ["0.025", 0.025],
  ["0.05", 0.05],
  ["0.075", 0.075],
  ["0.1", 0.1],
  ["0.25", 0.25],
  ["0.5", 0.5],
  ["0.75", 0.75],
  ["1.0", 1],
  ["2.5", 2.5],
  ["5.0", 5],
  ["7.5", 7.5],
  ["10.0", 10],
  ["+Inf", Infinity],
] as const

export interface CollectionTime {
  observe(seconds: number): void
  families(): readonly Family[]
}

/** The histogram of how long collections took, with the time of its creation beside it, as in the original. */
export function collectionTime(clusterName: string, created: Date): CollectionTime {
  const counts = BUCKETS.map(() => 0)
  let sum = 0
  const labels = { cluster_name: clusterName }
  return {
    observe(seconds) {
      sum += seconds
      BUCKETS.forEach(([, most], index) => {
        if (seconds <= most) counts[index] = (counts[index] ?? 0) + 1
      })
    },
    families: () => [
      {
        name: "opa_data_exporter_collection_time",
        help: "Time it takes to collect metrics",
        type: "histogram",
        samples: [
          ...BUCKETS.map(([le], index) => ({
            suffix: "_bucket",
            labels: { ...labels, le },
            value: counts[index] ?? 0,
          })),
          { suffix: "_count", labels, value: counts.at(-1) ?? 0 },
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
