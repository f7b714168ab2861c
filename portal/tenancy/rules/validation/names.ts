import type { Path } from "#core/config/config-file.ts"
import { quote } from "../../tenants/quote.ts"
import type { Findings } from "./findings.ts"
import type { Target } from "./target.ts"

const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

export function checkMetricName(name: string, path: Path, target: Target, findings: Findings): void {
  // is valid UTF-8, and refused all the same: most often it is an expression
  if (/[{}]/.test(name)) findings.error("rule/name", path, `${quote(name)} holds braces; put selectors into expr`)
  else if (target.nameScheme === "legacy" && !LEGACY_METRIC.test(name))
    findings.error(
      "rule/name",
      path,
      `${quote(name)} is no metric name for ${target.dialect.name}, which takes letters, digits, _ and :`,
    )
}

/** Of labels; of annotations with `__name__` among them. */
export function checkLabelName(name: string, path: Path, target: Target, findings: Findings): void {
  if (name === "") return findings.error("label/name", path, "has an empty name; give it one")
  if (!name.isWellFormed()) return findings.error("label/name", path, `${quote(name)} is not UTF-8; write it anew`)
  if (target.nameScheme === "legacy" && !LEGACY_LABEL.test(name))
    findings.error(
      "label/name",
      path,
      `${quote(name)} is no name for ${target.dialect.name}, which takes letters, digits and _`,
    )
}

export function checkLabels(
  labels: Readonly<Record<string, string>>,
  path: Path,
  target: Target,
  findings: Findings,
): void {
  for (const name of Object.keys(labels)) {
    checkLabelName(name, [...path, name], target, findings)
    if (name === "__name__")
      findings.error(
        "label/name",
        [...path, name],
        "a rule cannot set the label __name__; use record to name the series",
      )
  }
}
