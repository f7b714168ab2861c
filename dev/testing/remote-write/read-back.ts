import { compressSync } from "snappy"
import { type Element, elementsOfResponse, type Labels } from "./elements.ts"
import { bitsOf, encodeMessage } from "./schema.ts"

/** All samples and histograms, stale markers too, that `url/api/v1/read` has; of Cortex: what one tenant has. */
export async function readAll(url: string, tenant?: string): Promise<readonly Element[]> {
  const everything = {
    startTimestampMs: "0",
    endTimestampMs: String(Date.now() + 3_600_000),
    matchers: [{ type: 2, name: "__name__", value: ".+" }],
  }
  const response = await fetch(`${url}/api/v1/read`, {
    method: "POST",
    headers: {
      "content-encoding": "snappy",
      "content-type": "application/x-protobuf",
      "x-prometheus-remote-read-version": "0.1.0",
      ...(tenant === undefined ? {} : { "x-scope-orgid": tenant }),
    },
    body: compressSync(encodeMessage("ReadRequest", { queries: [everything] })),
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new Error(`remote read: ${response.status} ${await response.text()}`)
  return elementsOfResponse(Buffer.from(await response.arrayBuffer()))
}

interface ExemplarsOfSeries {
  readonly seriesLabels: Labels
  readonly exemplars: readonly { readonly labels: Labels; readonly value: string; readonly timestamp: number }[]
}

/** Of the `data` of `query_exemplars`. */
export const exemplarsOf = (data: unknown): readonly Element[] =>
  (data as readonly ExemplarsOfSeries[]).flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) => ({
      kind: "exemplar" as const,
      labels: sorted(seriesLabels),
      timestamp: Math.round(timestamp * 1000),
      value: `${JSON.stringify(sorted(labels))} ${bitsOf(Number(value))}`,
    })),
  )

const sorted = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
