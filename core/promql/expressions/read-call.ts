import type { SyntaxNode } from "@lezer/common"
import { didYouMean, meant } from "#core/config/nearest.ts"
import type { Dialect } from "./dialect.ts"
import type { Call, Expression, Span } from "./expression.ts"
import { noteExperimental } from "./features.ts"
import { SIGNATURES, type Signature } from "./functions.ts"
import { type Reading, textOf } from "./reading.ts"
import { expectType } from "./types.ts"

const MAX_SHOWN = 60

export function readCall(node: SyntaxNode, operands: readonly Expression[], reading: Reading): Expression {
  const name = calledName(node, reading)
  const { from, to } = node
  const signature = SIGNATURES.get(name)
  const call = { kind: "call", from, to, type: signature?.returns ?? "vector", name, arguments: operands } as const
  expectFunction(name, { from, to: from + name.length }, reading)
  if (signature === undefined) {
    reading.untyped.add(call)
    return call
  }
  checkCount(call, signature, reading)
  for (const [index, operand] of operands.entries()) {
    if (index >= signature.most) break
    const want = signature.arguments[index] ?? signature.arguments.at(-1)
    const role = operands.length === 1 ? "the argument" : `argument ${index + 1}`
    if (want !== undefined) expectType(operand, want, `${role} of ${name}()`, reading)
  }
  if (name === "info") checkInfo(operands[1], reading)
  return call
}

/** A function or an aggregation that the dialect knows; else that is reported. */
export function expectFunction(name: string, at: Span, reading: Reading): void {
  const { dialect } = reading
  if (dialect.functions.has(name)) return
  const flag = dialect.switches.get("promql-experimental-functions") ?? "a flag"
  if (dialect.experimentalFunctions.has(name)) {
    if (dialect.judgesLater) return noteExperimental(`${name}()`, flag, at, reading)
    reading.report(at, `${name}() is experimental and needs ${flag} in ${dialect.name}`)
    return
  }
  const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name
  reading.report(at, `${shown}() is not a function of ${dialect.name}${instead(name, dialect)}`)
}

function instead(name: string, { functions, experimentalFunctions }: Dialect): string {
  const known = [...functions, ...experimentalFunctions]
  const [before, since] = ["holt_winters", "double_exponential_smoothing"]
  if (name === before && known.includes(since)) return `; since Prometheus 3.0 it is called ${since}()`
  if (name === since && known.includes(before)) return `; before Prometheus 3.0 it is called ${before}()`
  if (SIGNATURES.has(name)) return ", only of other versions or servers"
  return didYouMean(meant(name.toLowerCase(), known))
}

function checkCount(call: Call & Span, { least, most }: Signature, reading: Reading): void {
  const { name, arguments: operands } = call
  if (operands.length >= least && operands.length <= most) return
  const wanted = least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`
  const noun = most === 1 || (least === 1 && most === Infinity) ? "argument" : "arguments"
  reading.report(call, `${name}() takes ${wanted} ${noun}, not ${operands.length}`)
}

/** Its selector of labels may match all series; it must have no name. */
function checkInfo(labels: Expression | undefined, reading: Reading): void {
  if (labels === undefined || labels.type !== "vector") return
  if (labels.kind !== "selector" || reading.text[labels.from] !== "{") {
    reading.report(labels, 'argument 2 of info() must be matchers in braces, without a name, such as {cluster="a"}')
  }
}

/** The grammar read it by another name (grammarText). */
function calledName(node: SyntaxNode, reading: Reading): string {
  return /^[\w:]*/.exec(textOf(node, reading))?.[0] ?? ""
}

/** Whether a `VectorSelector` is the second argument of info(). */
export function isInfoLabels(node: SyntaxNode, reading: Reading): boolean {
  const call = node.parent?.name === "FunctionCallBody" ? node.parent.parent : null
  if (call?.name !== "FunctionCall" || calledName(call, reading) !== "info") return false
  const first = node.prevSibling
  return first !== null && first.prevSibling === null
}
