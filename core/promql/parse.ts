import type { SyntaxNode } from "@lezer/common"
import { parser } from "@prometheus-io/lezer-promql"
import { defineError, type FedstackError } from "#core/errors.ts"
import { canonical, type Matcher, type MatchOp, type Selector } from "./selector.ts"
import { BadString, unquote } from "./unquote.ts"

export const invalidSelector = defineError(
  "SELECTOR_INVALID",
  400,
  "{selector} is not a PromQL vector selector: {problem} at character {position}, where {expected} is expected.",
)

const A_SELECTOR = 'one selector such as up{job="node"}'
const A_MATCHER = 'a matcher such as job="node", a comma or }'

/**
 * Exactly one vector selector, without range, offset or @, in Prometheus' own grammar and its rules for strings.
 * Comments are legal and left out. Stricter than Prometheus on purpose: values must be UTF-8, and a metric name may stand
 * in one place only. Regular expressions are not compiled here. Throws SELECTOR_INVALID.
 */
export function parseSelector(text: string): Selector {
  const root = parser.parse(text).topNode
  checkTokens(text, root)
  const [selector, ...more] = children(root)
  if (selector === undefined) throw fault(text, 0, "nothing", A_SELECTOR)
  if (selector.name !== "VectorSelector" || more.length > 0) {
    throw fault(text, selector.from, `an expression (${selector.name})`, A_SELECTOR)
  }
  const names: SyntaxNode[] = []
  const matchers: Matcher[] = []
  for (const node of [selector, ...children(selector)].flatMap(children)) {
    if (node.name === "Identifier" || node.name === "QuotedLabelName") names.push(node)
    else if (node.name.endsWith("LabelMatcher")) matchers.push(readMatcher(text, node))
  }
  return canonical([...readName(text, names, matchers), ...matchers])
}

/** Faults of the grammar, and what it lets pass and Prometheus does not. */
function checkTokens(text: string, root: SyntaxNode): void {
  if (!text.isWellFormed()) throw fault(text, 0, "invalid UTF-8", A_SELECTOR)
  let end = 0
  root.cursor().iterate((node) => {
    if (node.type.isError) {
      const inBraces = node.matchContext(["LabelMatchers"]) || node.node.parent?.name.endsWith("LabelMatcher")
      throw fault(text, node.from, describe(text, node.from), inBraces ? A_MATCHER : A_SELECTOR)
    }
    if (node.node.firstChild !== null || node.type.isTop) return
    checkGap(text, end, node.from)
    end = node.to
    // Prometheus ends a comment at a carriage return too: what follows would be read in two ways
    const stop = node.name === "LineComment" ? text.slice(node.from, node.to).search(/\r(?=.)/s) : -1
    if (stop !== -1) throw fault(text, node.from + stop, "a carriage return in a comment", "a line break")
  })
  checkGap(text, end, text.length)
}

/** The grammar takes any Unicode space between tokens, Prometheus these four. */
function checkGap(text: string, from: number, to: number): void {
  const stray = text.slice(from, to).search(/[^ \t\r\n{},]/)
  if (stray !== -1) throw fault(text, from + stray, describe(text, from + stray), A_SELECTOR)
}

function readName(text: string, names: readonly SyntaxNode[], matchers: readonly Matcher[]): readonly Matcher[] {
  const [name, second] = names
  if (name === undefined) return []
  if (second !== undefined) throw fault(text, second.from, "a second metric name", "a label matcher")
  if (matchers.some(({ label }) => label === "__name__")) {
    throw fault(text, name.from, "a metric name beside a matcher of __name__", "one of the two")
  }
  const value = name.name === "Identifier" ? text.slice(name.from, name.to) : readString(text, name)
  if (value === "") throw fault(text, name.from, "an empty name", "a metric name")
  return [{ label: "__name__", op: "=", value }]
}

function readMatcher(text: string, node: SyntaxNode): Matcher {
  const [label, op, value] = children(node)
  if (label === undefined || op === undefined || value === undefined) {
    throw fault(text, node.from, describe(text, node.from), A_MATCHER)
  }
  const name = label.name === "LabelName" ? text.slice(label.from, label.to) : readString(text, label)
  if (name === "") throw fault(text, label.from, "an empty name", "a label name")
  return { label: name, op: text.slice(op.from, op.to) as MatchOp, value: readString(text, value) }
}

function readString(text: string, node: SyntaxNode): string {
  const value = unquote(text.slice(node.from, node.to))
  if (value instanceof BadString) throw fault(text, node.from + value.offset, value.problem, "a PromQL string")
  return value
}

/** Without comments, which may stand between any two. */
function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== "LineComment") found.push(child)
  }
  return found
}

function describe(text: string, at: number): string {
  const point = text.codePointAt(at)
  return point === undefined ? "the end" : JSON.stringify(String.fromCodePoint(point))
}

/** `offset` counts UTF-16 units from 0; people count characters from 1. */
function fault(text: string, offset: number, problem: string, expected: string): FedstackError {
  const position = Array.from(text.slice(0, offset)).length + 1
  // oxlint-disable-next-line no-control-regex -- a message is one line
  const selector = text === "" ? "An empty text" : /[\u0000-\u001f\u007f]/.test(text) ? JSON.stringify(text) : text
  return invalidSelector({ selector, problem, position, expected })
}
