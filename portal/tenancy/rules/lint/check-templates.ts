import type { Dialect } from "#core/promql/expressions/dialect.ts"
import type { Span } from "#core/promql/expressions/expression.ts"
import { readExpression } from "#core/promql/expressions/read-expression.ts"
import { quote } from "../../tenants/quote.ts"
import { alertTemplate } from "../templates/check-template.ts"
import { type Template, TemplateFault } from "../templates/template.ts"
import { ANY, type Labels, mayHave } from "./labels.ts"
import { labelsOf } from "./labels-of.ts"
import { labelsRead, queriesOf, valuesShown } from "./template-labels.ts"

export interface TemplateFinding {
  readonly span: Span
  readonly message: string
}

interface Known {
  readonly dialect: Dialect
  readonly templateFunctions: ReadonlySet<string>
}

/** In a label or annotation of an alert: what is never there, and what makes another alert of it each time. */
export function checkTemplateUse(
  text: string,
  of: "labels" | "annotations",
  alert: Labels,
  { dialect, templateFunctions }: Known,
): readonly TemplateFinding[] {
  if (!text.includes("{{")) return []
  const template = alertTemplate(text, templateFunctions)
  if (template instanceof TemplateFault) return []
  const missing = labelsRead(template)
    .filter(({ name }) => !mayHave(alert, name))
    .map((use) => ({
      span: use,
      message: `is always empty: the expression's result cannot have the label ${quote(use.name)}`,
    }))
  const values = of === "labels" ? valuesShown(template) : []
  return [
    ...missing,
    ...values.map((use) => ({
      span: use,
      message: `${use.name} in a label makes another alert of it whenever the value changes: use an annotation`,
    })),
    ...checkQueries(template, dialect),
  ]
}

function checkQueries(template: Template, dialect: Dialect): readonly TemplateFinding[] {
  return queriesOf(template).flatMap(({ from, to, name: text, labels }) => {
    const reading = readExpression(text, dialect)
    if (reading.verdict === "unchecked") return []
    if (reading.verdict === "invalid") {
      const [{ message }] = reading.problems
      return [{ span: { from, to }, message: `the query is none: ${message}` }]
    }
    const result = labelsOf(reading.expression).get(reading.expression) ?? ANY
    return labels
      .filter(({ name }) => !mayHave(result, name))
      .map((use) => ({
        span: use,
        message: `is always empty: the query's result cannot have the label ${quote(use.name)}`,
      }))
  })
}
