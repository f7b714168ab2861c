import type { Cause, Details } from "../cause.ts"
import type { Stage } from "../probe-report.ts"

/** How an error of Prometheus is recognised: never by the whole, which differs by version. */
export interface ErrorText {
  /** Fragments that follow each other. Of all texts that match, the one whose first fragment stands first decides. */
  readonly has: readonly string[]
  /** `start`: matches only there; `last`: decides only where no other text matches. */
  readonly rank?: "start" | "last"
  /** Details in the text that follows the URL. Values are cut and cleaned by the caller. */
  readonly take?: (text: string) => Readonly<Record<string, string | undefined>>
}

/** A cause, and all that is needed to find it. */
export interface CauseEntry extends Cause {
  /** Where the way of the scrape ends. */
  readonly stage?: Stage
  readonly texts?: readonly ErrorText[]
  /** How else it is recognised, for docs/diagnosis.md. */
  readonly seenBy?: string
  /** The scrape works all the same: it never explains why one failed. */
  readonly delivers?: true
  /** Where a probe finds it, it is shown whatever Prometheus reports. */
  readonly decisive?: true
  /** It may be any of several causes: what a probe finds is more exact. */
  readonly vague?: true
  /** A probe that passes does not disprove it: it cannot see it, reads the beginning of a response only, or came at a better moment. */
  readonly beyondProbe?: true
  /** Details that follow from others. */
  readonly derive?: (details: Details) => Details
  /** Details as they may be, for docs/diagnosis.md. */
  readonly example: Details
}

/** A part of the table: each cause by its id. */
export function causes<const T extends Readonly<Record<string, Omit<CauseEntry, "id">>>>(
  table: T,
): { readonly [Id in keyof T]: CauseEntry & { readonly id: Id } } {
  const entries = Object.entries(table).map(([id, cause]) => [id, { id, ...cause }])
  return Object.fromEntries(entries) as { readonly [Id in keyof T]: CauseEntry & { readonly id: Id } }
}

/** What stands between two fragments, or after the first one. */
export function between(text: string, start: string, end?: string): string | undefined {
  const from = text.indexOf(start)
  if (from === -1) return undefined
  const begin = from + start.length
  const to = end === undefined ? text.length : text.indexOf(end, begin)
  return to === -1 ? undefined : text.slice(begin, to)
}

/** What Go quotes with %q, as it was. */
export const unquoted = (text: string): string =>
  text.replace(/\\(["\\nrt])/g, (_, letter: string) => (/[nrt]/.test(letter) ? " " : letter))
