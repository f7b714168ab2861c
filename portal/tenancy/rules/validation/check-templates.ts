import type { Path } from "#core/config/config-file.ts"
import { checkTemplate } from "../templates/check-template.ts"
import type { Findings } from "./findings.ts"
import type { Target } from "./target.ts"

const CHECK = "template"

/** Of the labels or annotations of an alert; those of records are no templates. */
export function checkTemplates(
  texts: Readonly<Record<string, string>>,
  path: Path,
  target: Target,
  findings: Findings,
): void {
  for (const [name, text] of Object.entries(texts)) {
    for (const { severity, message, from, to } of checkTemplate(text, { functions: target.templateFunctions }))
      findings.add(severity, CHECK, [...path, name], message, { from, to })
  }
}
