import type { Path } from "#core/config/config-file.ts"
import { readExpression } from "#core/promql/expressions/read-expression.ts"
import type { Findings } from "./findings.ts"
import type { Target } from "./target.ts"

const CHECK = "promql/syntax"

export function checkExpression(text: string, path: Path, target: Target, findings: Findings): void {
  const reading = readExpression(text, target.dialect)
  if (reading.verdict === "valid")
    for (const { from, to, message } of reading.notes) findings.add("warning", CHECK, path, message, { from, to })
  if (reading.verdict === "unchecked") findings.add("unchecked", CHECK, path, reading.reason)
  if (reading.verdict !== "invalid") return
  for (const { from, to, message } of reading.problems) findings.add("error", CHECK, path, message, { from, to })
}
