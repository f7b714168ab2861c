import type { Path } from "#core/config/config-file.ts"

/** `error`: the target refuses it. `unchecked`: it cannot be told here. `lint`: accepted, and probably not meant. */
export type Severity = "error" | "warning" | "unchecked" | "lint"

export interface Problem {
  readonly severity: Severity
  /** Which check found it: `promql/syntax`, `template`, `alerts/comparison`. People disable it by this name. */
  readonly check: string
  /** From the group: `["rules", 3, "expr"]`. */
  readonly path: Path
  /** UTF-16 units in the text that stands there; undefined: all of it. */
  readonly span?: { readonly from: number; readonly to: number } | undefined
  /** What is wrong and what to do, in one sentence without a final stop. */
  readonly message: string
}
