import type { PodDigests } from "./digests.ts"
import { digestIn, type OpaReading, type PathCount } from "./reading.ts"

/** Why what a pod holds at a path was not compared with what others hold: a closed set, for a label. */
export type NotCompared = "documents" | "package" | "computed" | "digest_failed" | "digest_pending"

/** What a person reads of it. */
export const NOT_COMPARED: Readonly<Record<NotCompared, string>> = {
  documents: "whole documents are read, of which no digests are made",
  package: "the package has no rule that makes digests: load what --print-package prints, and allow it",
  computed: "a policy computes it, in a form that OPA cannot make a digest of",
  digest_failed: "OPA failed to make digests, or was too slow",
  digest_pending: "digests are still to be made",
}

/**
 * Why nothing is known of the content of a path but its counts; undefined where a digest is known, or has been and what it
 * was made of has changed since: then it is made again with all others.
 */
export function whyNotCompared(
  pod: PodDigests | undefined,
  index: number,
  pathCount: PathCount,
  { method }: OpaReading,
): NotCompared | undefined {
  // what is empty has no content
  if (pathCount.kind === "undefined" || (pathCount.kind === "counted" && pathCount.keys === 0)) return undefined
  if (pod === undefined) return "digest_pending"
  const then = pod.pathCounts[index]
  if (then === undefined) return "digest_failed"
  if (digestIn(then) !== undefined) return undefined
  // it was empty when the others made digests, and has something now
  if (then.kind === "undefined") return "digest_pending"
  if (pod.at !== undefined) return "computed"
  return method === "query" ? "digest_pending" : method
}
