/** How one check or one test ended. */
export interface Outcome {
  readonly kind: "passed" | "failed" | "skipped"
  /** Of a check: its name. Of a test: its name behind those of the suites and tests around it. */
  readonly name: string
  /** `site/proxy/query.test.ts:12`, or "" for a check. */
  readonly where: string
  /** Why it failed or was skipped; "" otherwise. */
  readonly reason: string
}

/** In CI nothing may be skipped: there every component is to be had, so a skip hides a fault. */
export function allMustRun(outcome: Outcome): Outcome {
  return outcome.kind === "skipped"
    ? { ...outcome, kind: "failed", reason: `skipped, although FEDSTACK_TEST_ALL=1: ${outcome.reason}` }
    : outcome
}

/** The last lines of a run: every failure with its reason, every skip, and the sum as the last line. */
export function report(outcomes: readonly Outcome[]): string {
  const of = (kind: Outcome["kind"]) => outcomes.filter((outcome) => outcome.kind === kind)
  const [passed, failed, skipped] = [of("passed"), of("failed"), of("skipped")]
  const skips = skipped.map((outcome) => `  ${title(outcome)}\n    ${outcome.reason}\n`)
  const failures = failed.map((outcome) => `  ${title(outcome)}\n${indent(outcome.reason)}\n`)
  return [
    ...(skips.length === 0 ? [] : ["\nSkipped:\n", ...skips]),
    ...(failures.length === 0 ? [] : ["\nFailed:\n", ...failures]),
    `\n${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped\n`,
  ].join("")
}

function title({ where, name }: Outcome): string {
  return where === "" ? name : `${where}  ${name}`
}

const REASON_LINES = 60

function indent(text: string): string {
  const lines = text.trimEnd().split("\n")
  const shown = lines.length <= REASON_LINES ? lines : [...lines.slice(0, REASON_LINES), `… ${lines.length} lines`]
  return shown.map((line) => `    ${line}`.trimEnd()).join("\n")
}
