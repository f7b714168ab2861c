import { compressSync } from "snappy"
import type { Labels } from "./elements.ts"
import { bitsOf, encodeMessage } from "./schema.ts"

export interface WrittenSample {
  readonly labels: Labels
  readonly value: number
  /** Milliseconds. */
  readonly timestamp: number
}

export const HEADERS: Readonly<Record<1 | 2, Readonly<Record<string, string>>>> = {
  1: {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
  },
  2: {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "2.0.0",
  },
}

/** The body of a request with these samples. */
export function bodyOf(samples: readonly WrittenSample[], version: 1 | 2 = 1): Buffer {
  const sample = ({ value, timestamp }: WrittenSample): object => ({
    value: bitsOf(value),
    timestamp: String(timestamp),
  })
  const pairs = ({ labels }: WrittenSample): [string, string][] =>
    Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  if (version === 1) {
    const timeseries = samples.map((written) => ({
      labels: pairs(written).map(([name, value]) => ({ name, value })),
      samples: [sample(written)],
    }))
    return compressSync(encodeMessage("V1", { timeseries }))
  }
  const symbols = ["", ...new Set(samples.flatMap((written) => pairs(written).flat()))]
  const timeseries = samples.map((written) => ({
    labelsRefs: pairs(written)
      .flat()
      .map((text) => symbols.indexOf(text)),
    samples: [sample(written)],
  }))
  return compressSync(encodeMessage("V2", { symbols, timeseries }))
}

/** One request, not repeated. */
export async function write(
  url: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(30_000) })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
