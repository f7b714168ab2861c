import type { Part } from "./verdict.ts"

/** What is known of a slice: what became of it, perhaps not yet, or since when (milliseconds) its tenant is limited. */
export type Known = KnownPart | { readonly part: Promise<Part> }
export type KnownPart = { readonly part: Part } | { readonly limitedSince: number }

/** About what an entry and each of its slices take. */
const BYTES_OF_ENTRY = 300
const BYTES_OF_SLICE = 400

/** What is remembered of one request. */
export class Entry {
  /** Of the body. */
  readonly length: number
  readonly at: number
  readonly bytes: number
  /** By their keys. */
  readonly slices: ReadonlyMap<string, Known>
  readonly rules: string

  constructor(length: number, rules: string, at: number, slices: ReadonlyMap<string, Known>) {
    this.length = length
    this.at = at
    this.rules = rules
    this.slices = slices
    this.bytes = BYTES_OF_ENTRY
    for (const [key, known] of slices) this.bytes += BYTES_OF_SLICE + key.length + reasonLength(known)
  }
}

function reasonLength(known: Known): number {
  if (!("part" in known) || known.part instanceof Promise) return 0
  const { outcome } = known.part
  return outcome.kind === "failed" ? outcome.reason.length : 0
}
