import { unquote } from "#core/promql/unquote.ts"
import { didYouMean, meant } from "#core/config/nearest.ts"
import { type Command, type Operand, type Pipeline, TemplateFault } from "./template.ts"
import { excerpt, type Token } from "./tokens.ts"

/** What names mean where a pipeline stands. */
export interface Scope {
  readonly functions: ReadonlySet<string>
  /** In the order of their declaration; the pipeline adds its own. */
  readonly variables: string[]
}

/** One that is not finished: parentheses are kept here and not on the call stack, as a text may open 100,000. */
interface Open {
  readonly from: number
  readonly declares: readonly string[]
  readonly commands: Command[]
  operands: Operand[]
  /** Where the operands began. */
  commandFrom: number
}

/** From the tokens of one action, `at` on, to its end. `context` is what it is for: `if`, `range`. */
export function readPipeline(tokens: readonly Token[], start: number, context: string, scope: Scope): Pipeline {
  const outer: Open[] = []
  let at = start
  const open = (from: number, what: string): Open => {
    const declared = readDeclarations(tokens, from, what, scope)
    at = declared.next
    const first = tokens[at] ?? tokens[tokens.length - 1]
    return { from: first?.from ?? 0, declares: declared.names, commands: [], operands: [], commandFrom: 0 }
  }
  let current = open(at, context)
  let afterOperand = false
  for (;;) {
    const token = tokens[at]
    if (token === undefined) throw new Error("the last token of an action closes it")
    const name = outer.length === 0 ? context : "parentheses"
    if (token.kind === "space") {
      afterOperand = false
      at++
    } else if (isMark(token, "|") && current.operands.length > 0) {
      endCommand(current, token.from)
      afterOperand = false
      at++
    } else if (token.kind === "right" || isMark(token, ")")) {
      const parenthesis = token.kind !== "right"
      if (parenthesis !== outer.length > 0) throw unpaired(token, tokens)
      const pipeline = endPipeline(current, token, name)
      const before = outer.pop()
      if (before === undefined) return pipeline
      current = before
      at = addOperand(current, tokens, at, { kind: "pipeline", of: pipeline, from: pipeline.from, to: token.to })
      afterOperand = true
    } else if (afterOperand) {
      throw new TemplateFault(`a space is missing before ${shown(token)}`, token)
    } else if (isMark(token, "(")) {
      if (current.operands.length === 0) current.commandFrom = token.from
      outer.push(current)
      current = open(at + 1, "parentheses")
    } else {
      const term = readTerm(token, scope)
      if (term === undefined) throw new TemplateFault(`${shown(token)} cannot stand here`, token)
      if (current.operands.length === 0) current.commandFrom = token.from
      at = addOperand(current, tokens, at, term)
      afterOperand = true
    }
  }
}

type Term = Operand extends infer One ? (One extends Operand ? Omit<One, "fields"> : never) : never

/** With the fields that follow without a space; returns where to read on. */
function addOperand(current: Open, tokens: readonly Token[], at: number, term: Term): number {
  const fields: string[] = term.kind === "dot" && term.to - term.from > 1 ? [tokens[at]?.text.slice(1) ?? ""] : []
  let next = at + 1
  let last = tokens[at]
  for (let token = tokens[next]; token?.kind === "field"; token = tokens[++next]) {
    const bare = term.kind === "dot" ? fields.length === 0 : !["variable", "function", "pipeline"].includes(term.kind)
    if (bare) throw new TemplateFault(`${shown(token)} cannot follow ${term.kind === "dot" ? "." : "a literal"}`, token)
    fields.push(token.text.slice(1))
    last = token
  }
  current.operands.push({ ...term, to: last?.to ?? term.to, fields })
  return next
}

function readTerm(token: Token, scope: Scope): Term | undefined {
  const { from, to, text } = token
  switch (token.kind) {
    case "word":
      if (!scope.functions.has(text)) throw unknown("function", text, [...scope.functions], token)
      return { kind: "function", name: text, from, to }
    case "variable":
      if (!scope.variables.includes(text)) throw unknown("variable", text, scope.variables, token)
      return { kind: "variable", name: text, from, to }
    case "field":
      return { kind: "dot", from, to }
    case "string": {
      const value = unquote(text)
      return { kind: "string", value: typeof value === "string" ? value : undefined, from, to }
    }
    case "dot":
    case "number":
    case "bool":
      return { kind: token.kind, from, to }
    case "keyword":
      return text === "nil" ? { kind: "nil", from, to } : undefined
    case "mark":
    case "right":
    case "space":
      break
  }
  return undefined
}

function unknown(kind: string, name: string, known: readonly string[], token: Token): TemplateFault {
  // to compare long names takes the product of their lengths
  const short = name.length > 40 ? [] : known.filter((each) => each.length <= 40)
  const near = meant(name, short)
  const state = kind === "variable" ? "not defined here" : "unknown to the target"
  return new TemplateFault(`the ${kind} ${excerpt(name)} is ${state}${didYouMean(near)}`, token)
}

function endCommand(current: Open, end: number): void {
  const { operands, commandFrom, commands } = current
  const [first] = operands
  if (first === undefined) return
  const executable = first.fields.length > 0 || ["function", "variable", "pipeline"].includes(first.kind)
  if (commands.length > 0 && !executable) {
    throw new TemplateFault("what stands behind a pipe must be a function, and this is a value", first)
  }
  commands.push({ operands, from: commandFrom, to: operands.at(-1)?.to ?? end })
  current.operands = []
}

function endPipeline(current: Open, token: Token, context: string): Pipeline {
  endCommand(current, token.from)
  if (current.commands.length === 0) throw new TemplateFault(`${context} needs a value`, token)
  return { declares: current.declares, commands: current.commands, from: current.from, to: token.from }
}

/** `$x := `, `$x = `, and in a range `$index, $element := `. */
function readDeclarations(
  tokens: readonly Token[],
  start: number,
  context: string,
  scope: Scope,
): { readonly names: readonly string[]; readonly next: number } {
  const names: string[] = []
  let at = skipSpace(tokens, start)
  for (;;) {
    const variable = tokens[at]
    const after = skipSpace(tokens, at + 1)
    const mark = tokens[after]
    if (variable?.kind !== "variable" || mark === undefined) return { names, next: at }
    const comma = isMark(mark, ",")
    if (!comma && !isMark(mark, ":=") && !isMark(mark, "=")) return { names, next: at }
    names.push(variable.text)
    scope.variables.push(variable.text)
    at = skipSpace(tokens, after + 1)
    if (!comma) return { names, next: at }
    const next = tokens[at]
    const more = next?.kind === "variable" || next?.kind === "right" || (next !== undefined && isMark(next, ")"))
    if (context !== "range" || names.length > 1 || !more) {
      throw new TemplateFault("only a range can declare two variables, and no action more", mark)
    }
  }
}

function unpaired(token: Token, tokens: readonly Token[]): TemplateFault {
  if (token.kind !== "right") return new TemplateFault("no parenthesis is open here", token)
  let depth = 0
  const opening = tokens.findLast((each) => {
    depth += isMark(each, ")") ? 1 : isMark(each, "(") ? -1 : 0
    return depth < 0
  })
  return new TemplateFault("this parenthesis is not closed", opening ?? token)
}

export function skipSpace(tokens: readonly Token[], at: number): number {
  return tokens[at]?.kind === "space" ? at + 1 : at
}

function isMark(token: Token, text: string): boolean {
  return token.kind === "mark" && token.text === text
}

export function shown(token: Token): string {
  return token.kind === "right" ? "the end of the action" : excerpt(token.text)
}
