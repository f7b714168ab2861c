import { pipelinesOf } from "../templates/check-template.ts"
import type { Action, Operand, Template } from "../templates/template.ts"

/** A part of a template that reads something of the alert, or of a query. */
export interface Use {
  readonly from: number
  readonly to: number
  readonly name: string
}

const CONDITIONS: ReadonlySet<string> = new Set(["if", "else", "with"])

/** Labels of the alert's series that are read; not those that the template first asks for. */
export function labelsRead({ actions }: Template): readonly Use[] {
  const asked = new Set(
    actions
      .filter(({ keyword }) => CONDITIONS.has(keyword))
      .flatMap((action) => readIn(action).map(({ name }) => name)),
  )
  return actions.flatMap(readIn).filter(({ name }) => !asked.has(name))
}

function readIn(action: Action): readonly Use[] {
  return pipelinesOf(action)
    .flatMap(({ commands }) => commands)
    .flatMap(({ operands }) => {
      const direct = operands.flatMap((operand) => {
        const [name] = fieldsOfLabels(operand, action) ?? []
        return name === undefined ? [] : [{ from: operand.from, to: operand.to, name }]
      })
      const [index, labels, key] = operands
      const isIndex = index?.kind === "function" && index.name === "index" && operands.length === 3
      if (!isIndex || labels === undefined || key?.kind !== "string" || key.value === undefined) return direct
      return fieldsOfLabels(labels, action)?.length === 0
        ? [...direct, { from: key.from, to: key.to, name: key.value }]
        : direct
    })
}

/** What follows `$labels`, `.Labels` or `$.Labels`; undefined where it is something else. */
function fieldsOfLabels(operand: Operand, { dotIsAlert }: Action): readonly string[] | undefined {
  if (operand.kind === "variable" && operand.name === "$labels") return operand.fields
  const ofAlert = operand.kind === "variable" ? operand.name === "$" : operand.kind === "dot"
  return ofAlert && dotIsAlert && operand.fields[0] === "Labels" ? operand.fields.slice(1) : undefined
}

/** Values of the alert or of a query that are put into the text; not those that it only compares. */
export function valuesShown({ actions }: Template): readonly Use[] {
  return actions
    .filter(({ keyword }) => keyword !== "if" && keyword !== "else")
    .flatMap((action) => pipelinesOf(action))
    .flatMap(({ commands }) => commands)
    .flatMap(({ operands }) => operands)
    .flatMap((operand) => {
      const name = valueOf(operand)
      return name === undefined ? [] : [{ from: operand.from, to: operand.to, name }]
    })
}

function valueOf(operand: Operand): string | undefined {
  const { kind, fields } = operand
  if (kind === "function") return /^(?:value|strvalue)$/.test(operand.name) ? operand.name : undefined
  if (kind === "variable" && operand.name === "$value") return "$value"
  const isField = kind === "dot" || kind === "variable" || kind === "pipeline"
  return isField && fields.at(-1) === "Value" && fields.length === 1 ? ".Value" : undefined
}

/** Expressions that are sent while the text is made, and the labels that are read of their results at once. */
export function queriesOf({ actions }: Template): readonly (Use & { readonly labels: readonly Use[] })[] {
  return actions.flatMap(pipelinesOf).flatMap(({ commands }) => {
    const [first, ...then] = commands
    const [name, text] = first?.operands ?? []
    if (name?.kind !== "function" || name.name !== "query" || text?.kind !== "string" || text.value === undefined)
      return []
    const labels = then.flatMap(({ operands: [called, label] }) =>
      called?.kind === "function" && called.name === "label" && label?.kind === "string" && label.value !== undefined
        ? [{ from: label.from, to: label.to, name: label.value }]
        : [],
    )
    return [{ from: text.from, to: text.to, name: text.value, labels }]
  })
}
