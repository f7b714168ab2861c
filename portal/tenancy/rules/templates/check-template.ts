import type { Span } from "#core/promql/expressions/expression.ts"
import { arityOf, BUILTINS } from "./functions.ts"
import { readTemplate } from "./read-template.ts"
import { type Action, type Command, type Pipeline, type Template, TemplateFault } from "./template.ts"

export interface TemplateProblem extends Span {
  /** `error`: the target refuses the rule. `warning`: it takes it, and fills in an error when the alert fires. */
  readonly severity: "error" | "warning"
  /** What is wrong and what to do, in one sentence without a final stop. */
  readonly message: string
}

/** What Prometheus puts before the text of each label and annotation of an alert. */
const VARIABLES = ["$labels", "$externalLabels", "$externalURL", "$value"]
const FIELDS = ["Labels", "ExternalLabels", "ExternalURL", "Value"]

/**
 * What is wrong in the text of a label or annotation of an alert, which Prometheus reads as Go's text/template.
 * `functions` are those of the target, beside Go's own. Takes any text, in time that is linear in its length.
 */
export function checkTemplate(
  text: string,
  { functions }: { readonly functions: ReadonlySet<string> },
): readonly TemplateProblem[] {
  const template = alertTemplate(text, functions)
  if (template instanceof TemplateFault) {
    const { message, from, to } = template
    return [{ severity: "error", message, from, to }]
  }
  return template.actions.flatMap((action) => warnings(action, template.defined))
}

/** As checkTemplate reads it; a fault where it is none. */
export function alertTemplate(text: string, functions: ReadonlySet<string>): Template | TemplateFault {
  try {
    return readTemplate(text, new Set([...BUILTINS, ...functions]), VARIABLES)
  } catch (error) {
    if (error instanceof TemplateFault) return error
    throw error
  }
}

function warnings(action: Action, defined: ReadonlySet<string>): readonly TemplateProblem[] {
  const found: TemplateProblem[] = []
  const warn = (message: string, { from, to }: Span) => found.push({ severity: "warning", message, from, to })
  if (action.keyword === "template" && !defined.has(action.name ?? "")) {
    warn(`no template ${JSON.stringify(action.name)} is defined here: the alert shows an error instead`, action)
  }
  for (const pipeline of pipelinesOf(action)) {
    for (const [stage, command] of pipeline.commands.entries()) {
      const wrong = wrongArguments(command, stage > 0)
      if (wrong !== undefined) warn(wrong, command)
      for (const operand of command.operands) {
        const [field] = operand.kind === "dot" ? operand.fields : []
        if (!action.dotIsAlert || field === undefined || FIELDS.includes(field)) continue
        warn(`an alert has no field .${field}, but .Labels, .ExternalLabels, .ExternalURL and .Value`, operand)
      }
    }
  }
  return found
}

/** The one of an action and those in its parentheses, without recursion: there may be many. */
export function pipelinesOf(action: Action): readonly Pipeline[] {
  const found = action.pipeline === undefined ? [] : [action.pipeline]
  for (const pipeline of found) {
    for (const { operands } of pipeline.commands) {
      for (const operand of operands) if (operand.kind === "pipeline") found.push(operand.of)
    }
  }
  return found
}

function wrongArguments({ operands }: Command, piped: boolean): string | undefined {
  const [first] = operands
  if (first?.kind !== "function" || first.fields.length > 0) return undefined
  const arity = arityOf(first.name)
  if (arity === undefined) return undefined
  const count = operands.length - 1 + (piped ? 1 : 0)
  const [least, most] = arity
  if (count >= least && count <= most) return undefined
  const takes = least === most ? `${least}` : most === Infinity ? `${least} or more` : `${least} to ${most}`
  return `${first.name} takes ${takes} ${least === 1 && most === 1 ? "argument" : "arguments"} and has ${count}`
}
