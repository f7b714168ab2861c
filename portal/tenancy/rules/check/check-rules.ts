import { buffer } from "node:stream/consumers"
import type { Context } from "#core/component.ts"
import { ConfigurationError, ExitError, UsageError } from "#core/errors.ts"
import { textOf } from "#core/files/read-text.ts"
import type { Feature } from "#core/promql/expressions/dialect.ts"
import type { TargetName } from "../validation/target.ts"
import { targetOf } from "../validation/targets.ts"
import { type CheckedFile, checkText, NOTHING, ofFile } from "./check-file.ts"
import { withClaims } from "./claims.ts"
import { withLints } from "./lint-files.ts"
import { readOneOf } from "./read-one-of.ts"
import { showReport, summarize } from "./show.ts"

export interface CheckOptions {
  readonly target: TargetName
  readonly enableFeature: readonly Feature[]
  readonly lint: boolean
  readonly base: readonly string[]
  readonly lintFatal: boolean
}

/**
 * Prints what is wrong, a line each, and a summary. Throws UsageError, and ExitError: 1 for errors, 3 for findings where they
 * are fatal.
 */
export async function checkRules(
  files: readonly string[],
  { target: name, enableFeature, lint, base, lintFatal }: CheckOptions,
  { print, now }: Pick<Context, "print" | "now">,
): Promise<undefined> {
  if (base.length > 0 && !lint)
    throw new UsageError([{ where: "--base", message: "is read by --lint alone; add --lint, or remove --base" }])
  const target = targetOf(name, enableFeature)
  const readAll = async (names: readonly string[]): Promise<readonly CheckedFile[]> => {
    const read: CheckedFile[] = []
    for (const file of names) read.push(await checkOne(file, (text, shown) => checkText(text, shown, target)))
    return read
  }
  const replaced = await readAll(base)
  const unread = replaced.map((one) => ({ ...one, reports: one.reports.filter(({ check }) => check === "file") }))
  const checked = [
    ...unread.filter(({ reports }) => reports.length > 0),
    ...withLints(withClaims(await readAll(files)), lint ? target : undefined, now(), replaced),
  ]
  for (const { reports } of checked) for (const report of reports) print(`${showReport(report)}\n`)
  const reports = checked.flatMap((one) => one.reports)
  const summary = summarize(checked, target)
  if (reports.some(({ severity }) => severity === "error")) throw new ExitError("RULES_INVALID", 1, summary)
  if (lintFatal && reports.some(({ severity }) => severity === "lint")) throw new ExitError("RULES_LINT", 3, summary)
  print(`${summary}\n`)
}

async function checkOne(file: string, check: (text: string, shown: string) => CheckedFile): Promise<CheckedFile> {
  const shown = file === "-" ? "standard input" : file
  try {
    return check(file === "-" ? textOf(await buffer(process.stdin), shown) : readOneOf(file), shown)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { ...NOTHING, file: shown, reports: error.faults.map(({ message }) => ofFile(shown, message)) }
  }
}
