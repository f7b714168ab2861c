import type { SyntaxNode } from "@lezer/common"
import type { Span } from "./expression.ts"
import { literalOf } from "./literals.ts"
import { children, type Reading, textOf } from "./reading.ts"

/** A node of the grammar's tree, with the operands that it has for Prometheus. */
export interface Part extends Span {
  readonly node: SyntaxNode
  /** Of a unary operator; its node may be that of the number, which holds the sign. */
  readonly sign: "+" | "-" | undefined
  readonly operands: readonly Part[]
}

type Operator = { readonly precedence: number; readonly node: SyntaxNode } & (
  { readonly sign: "+" | "-"; readonly from: number } | { readonly sign: undefined }
)

/** `-a ^ b` is `-(a ^ b)`, and `-a * b` is `(-a) * b`. */
const UNARY = 5
const POWER = 6
const PRECEDENCE: readonly (readonly [number, string])[] = [
  [1, "or"],
  [2, "and unless"],
  [3, "== != < <= > >= </ >/"],
  [4, "+ -"],
  [UNARY, "* / % atan2"],
  [POWER, "^"],
]
const PRECEDENCES: ReadonlyMap<string, number> = new Map(
  PRECEDENCE.flatMap(([precedence, operators]) =>
    operators.split(" ").map((operator) => [operator, precedence] as const),
  ),
)

const AFTER: ReadonlySet<string> = new Set(
  "MatrixSelector SubqueryExpr OffsetExpr StepInvariantExpr AnchoredExpr SmoothedExpr".split(" "),
)

/**
 * What stands between two parentheses or commas, as Prometheus groups it: the grammar applies `offset 5m` in
 * `a + b offset 5m * c` to `a + b`, and multiplies all of that, and reads `-1 ^ 2` as `(-1) ^ 2`.
 */
export function regroup(top: SyntaxNode, reading: Reading): Part {
  const parts: Part[] = []
  const operators: Operator[] = []
  /** Applies the operators that bind more tightly than one that follows. */
  const apply = (precedence: number): void => {
    for (let last = operators.at(-1); last !== undefined && bindsMore(last, precedence); last = operators.at(-1)) {
      operators.pop()
      parts.push(applied(last, parts))
    }
  }
  for (const item of inOrder(top, reading)) {
    if ("operands" in item) parts.push(item)
    else if ("precedence" in item) {
      if (item.sign === undefined) apply(item.precedence)
      operators.push(item)
    } else {
      const of = take(parts)
      parts.push({ node: item, sign: undefined, operands: [of], from: of.from, to: item.to })
    }
  }
  apply(0)
  return take(parts)
}

function bindsMore({ precedence }: Operator, than: number): boolean {
  return precedence > than || (precedence === than && than !== POWER)
}

function applied(operator: Operator, parts: Part[]): Part {
  const right = take(parts)
  const { node, sign } = operator
  if (operator.sign !== undefined) return { node, sign, operands: [right], from: operator.from, to: right.to }
  const left = take(parts)
  return { node, sign, operands: [left, right], from: left.from, to: right.to }
}

function take(parts: Part[]): Part {
  const part = parts.pop()
  if (part === undefined) throw new Error("an operator without operands")
  return part
}

/** Operands, operators, and nodes that stand after what they modify, in the order of the text. */
function* inOrder(top: SyntaxNode, reading: Reading): Generator<Part | Operator | SyntaxNode> {
  const waiting: (SyntaxNode | { readonly item: Operator | SyntaxNode })[] = [top]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if ("item" in next) {
      yield next.item
      continue
    }
    const node = next
    const parts = children(node)
    const [first, second, last] = [parts[0], parts[1], parts.at(-1)]
    if (node.name === "BinaryExpr" && first !== undefined && second !== undefined && last !== undefined) {
      const precedence = PRECEDENCES.get(textOf(second, reading).toLowerCase())
      if (precedence === undefined) throw new Error(`the operator ${second.name} has no precedence`)
      waiting.push(last, { item: { precedence, node, sign: undefined } }, first)
    } else if (node.name === "UnaryExpr" && last !== undefined) {
      yield { precedence: UNARY, node, sign: signAt(node, reading), from: node.from }
      waiting.push(last)
    } else if (AFTER.has(node.name) && first !== undefined) waiting.push({ item: node }, first)
    else yield* operand(node, reading)
  }
}

/** A number without its sign, which is an operator of its own; or what the grammar has closed. */
function* operand(node: SyntaxNode, reading: Reading): Generator<Part | Operator> {
  const { to } = node
  const from = node.name === "NumberDurationLiteral" ? to - literalOf(node, reading).text.length : node.from
  if (from > node.from) yield { precedence: UNARY, node, sign: signAt(node, reading), from: node.from }
  yield { node, sign: undefined, operands: [], from, to }
}

function signAt({ from }: SyntaxNode, { text }: Reading): "+" | "-" {
  return text[from] === "-" ? "-" : "+"
}
