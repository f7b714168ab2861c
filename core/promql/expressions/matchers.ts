import type { SyntaxNode } from "@lezer/common"
import { checkRegex } from "../regex/check.ts"
import { canonical, type Matcher, type MatchOp } from "../selector.ts"
import type { Span } from "./expression.ts"
import { children, excerpt, type Reading, textOf } from "./reading.ts"
import { readString } from "./strings.ts"

/**
 * A `VectorSelector`, with its name as the label `__name__`; canonical. `mayBeEmpty`: it needs no matcher that refuses the
 * empty value (the second argument of info()).
 */
export function readMatchers(node: SyntaxNode, mayBeEmpty: boolean, reading: Reading): readonly Matcher[] {
  const matchers: Matcher[] = []
  let needsMatcher = !mayBeEmpty
  let name: string | undefined
  for (const part of [node, ...children(node)].flatMap(children)) {
    if (part.name === "LabelMatchers") continue
    if (part.name === "Identifier") name = textOf(part, reading)
    const matcher = name === undefined || part.name !== "Identifier" ? readMatcher(part, reading) : named(name)
    if (matcher.label === "__name__" && name !== undefined && part.name !== "Identifier") {
      reading.report(part, `the metric is called ${excerpt(name)} already; remove one of the names`)
    }
    if (!acceptsEmpty(matcher, part, reading)) needsMatcher = false
    matchers.push(matcher)
  }
  if (needsMatcher) {
    reading.report(node, 'a selector needs a name, or a matcher that does not match "", such as job=~".+"')
  }
  return canonical(matchers)
}

function named(value: string): Matcher {
  return { label: "__name__", op: "=", value }
}

function readMatcher(node: SyntaxNode, reading: Reading): Matcher {
  if (node.name === "QuotedLabelName") return named(readString(node, reading))
  const [label = node, op = node, value = node] = children(node)
  return {
    label: label.name === "LabelName" ? textOf(label, reading) : readString(label, reading),
    op: textOf(op, reading) as MatchOp,
    value: readString(value, reading),
  }
}

/** Whether it surely does. Reports expressions that cannot be compiled. */
function acceptsEmpty({ label, op, value }: Matcher, at: Span, reading: Reading): boolean {
  if (op === "=" || op === "!=") return (value === "") === (op === "=")
  const regex = checkRegex(value)
  if (regex.verdict === "valid") return regex.matchesEmpty === (op === "=~")
  if (regex.verdict === "invalid") {
    reading.report(at, `the regular expression of ${excerpt(label)} is not valid in RE2: ${excerpt(regex.reason)}`)
  } else reading.doubt(`the regular expression of ${excerpt(label)} cannot be checked: ${regex.reason}`)
  return false
}
