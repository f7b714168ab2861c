import type { Severity } from "../validation/problem.ts"

/** One problem with its place in a file. */
export interface Report {
  /** As it was named; `standard input`. */
  readonly file: string
  /** From 1; undefined where it is about the whole file. */
  readonly line: number | undefined
  readonly column: number | undefined
  readonly severity: Severity
  readonly check: string
  /** Where in the document: `spec.groups[0].rules[3].expr`; "" for all of it. */
  readonly where: string
  readonly message: string
  /** The line in which its rule begins. */
  readonly rule?: number | undefined
  /** What the message is about, as it is written. */
  readonly fragment?: string | undefined
}
