import { relative } from "node:path"
import type { Outcome } from "./outcome.ts"
import type { Coverage } from "./suites.ts"

/** Percent of all sources that the unit tests must reach. Raise them when the sums have room; never lower them. */
const WANTED = { line: 85, branch: 85, function: 80 }

const LISTED_BELOW = 80

/** The coverage of all files together, and the files with the least of it. */
export function showCoverage({ files, totals }: Coverage, root: string): string {
  const low = files
    .filter((file) => file.coveredLinePercent < LISTED_BELOW)
    .toSorted((one, other) => one.coveredLinePercent - other.coveredLinePercent)
  return [
    "      lines branches functions\n",
    row(totals, `all ${files.length} files that a unit test loads`),
    ...low.map((file) => row(file, relative(root, file.path))),
  ].join("")
}

function row(file: Coverage["totals"], name: string): string {
  const percents = [file.coveredLinePercent, file.coveredBranchPercent, file.coveredFunctionPercent]
  return `  ${percents.map((percent) => percent.toFixed(1).padStart(9)).join("")}  ${name}\n`
}

/** Without a measurement nothing is known, which is no success. */
export function coverageOutcome(coverage: Coverage | undefined): Outcome {
  if (coverage === undefined) return { kind: "failed", name: "coverage", where: "", reason: "it was not measured" }
  const { totals } = coverage
  const reached = {
    line: totals.coveredLinePercent,
    branch: totals.coveredBranchPercent,
    function: totals.coveredFunctionPercent,
  }
  const faults = (["line", "branch", "function"] as const)
    .filter((kind) => reached[kind] < WANTED[kind])
    .map((kind) => `${kind} coverage is ${reached[kind].toFixed(1)} %, at least ${WANTED[kind]} % is wanted`)
  return { kind: faults.length === 0 ? "passed" : "failed", name: "coverage", where: "", reason: faults.join("\n") }
}
