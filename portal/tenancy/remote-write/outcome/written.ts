import { type Counts, KINDS } from "../message/counts.ts"
import type { Split } from "../split/slice.ts"
import type { Part } from "./verdict.ts"

/**
 * The elements of a request that all of their tenants took. Where several tenants of one element failed, it is subtracted
 * for each of them, as nobody says which elements an upstream refused: never more than was written, at times less.
 */
export function writtenOf({ received, rejectedCounts }: Split, parts: readonly Part[]): Counts {
  const missing = (kind: keyof Counts): number => parts.reduce((sum, part) => sum + missingOf(part, kind), 0)
  const left = (kind: keyof Counts): number => Math.max(0, received[kind] - rejectedCounts[kind] - missing(kind))
  return { samples: left("samples"), histograms: left("histograms"), exemplars: left("exemplars") }
}

function missingOf({ slice, outcome, verdict }: Part, kind: keyof Counts): number {
  // a replica's: written by another one; and version 1 has no counts
  if (verdict === "accepted" && (outcome.status === 202 || slice.version === 1)) return 0
  const written = verdict === "refused" && outcome.kind === "accepted" ? 0 : outcome.written[kind]
  return Math.max(0, slice.counts[kind] - written)
}

export function writtenHeaders(written: Counts): Readonly<Record<string, string>> {
  return Object.fromEntries(KINDS.map((kind) => [`x-prometheus-remote-write-${kind}-written`, String(written[kind])]))
}
