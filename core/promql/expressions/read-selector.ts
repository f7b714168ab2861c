import type { SyntaxNode } from "@lezer/common"
import { readDuration } from "./durations.ts"
import type { Expression, Span, Subquery, VectorSelector } from "./expression.ts"
import { requireFeature } from "./features.ts"
import { readMatchers } from "./matchers.ts"
import { readNumber } from "./numbers.ts"
import { isInfoLabels } from "./read-call.ts"
import { children, childOf, childrenOf, type Reading, textOf } from "./reading.ts"
import type { Part } from "./regroup.ts"
import { expectType } from "./types.ts"

type Timed = Expression & (VectorSelector | Subquery)

export function readSelector(node: SyntaxNode, reading: Reading): Expression {
  const name = childOf(node, "Identifier")
  if (name !== undefined && textOf(name, reading).toLowerCase() === "atan2") {
    reading.report(name, 'atan2 is an operator; write {__name__="atan2"} for a metric of this name')
  }
  return { ...bare(node), matchers: readMatchers(node, isInfoLabels(node, reading), reading) }
}

function bare({ from, to }: Span): Expression & VectorSelector {
  const none = { range: undefined, modifier: undefined, offset: undefined, at: undefined }
  return { kind: "selector", from, to, type: "vector", matchers: [], ...none }
}

export function readRange(part: Part, of: Expression, reading: Reading): Expression {
  const duration = childOf(part.node, "DurationExpr")
  const range = duration === undefined ? 0 : readDuration(duration, "range", reading)
  if (of.kind !== "selector" || of.range !== undefined) {
    reading.report(part, "a range stands after a selector only; for other expressions write a subquery such as [5m:]")
    return { ...bare(part), type: "matrix", range }
  }
  // start(), end() and what is not a literal are accepted there
  const before =
    typeof of.offset === "number" && of.offset !== 0 ? "offset" : typeof of.at === "number" ? "@" : undefined
  if (before !== undefined) reading.report(part, `${before} stands after the range; move it to the end`)
  return { ...of, to: part.to, type: "matrix", range }
}

export function readSubquery(part: Part, of: Expression, reading: Reading): Expression {
  expectType(of, "vector", "what a subquery evaluates", reading)
  const [range, step] = childrenOf(part.node, "DurationExpr")
  return {
    kind: "subquery",
    from: part.from,
    to: part.to,
    type: "matrix",
    of,
    range: range === undefined ? 0 : readDuration(range, "range", reading),
    step: step === undefined ? undefined : readDuration(step, "step", reading),
    offset: undefined,
    at: undefined,
  }
}

export function readOffset(part: Part, of: Expression, reading: Reading): Expression {
  const duration = childOf(part.node, "OffsetDurationExpr")
  const offset = duration === undefined ? 0 : readDuration(duration, "offset", reading)
  if (!isTimed(of)) {
    reading.report(part, "offset stands after a selector, a range or a subquery only")
    return of
  }
  if (of.offset !== undefined && of.offset !== 0) reading.report(part, "offset stands here twice; remove one")
  return { ...of, to: part.to, offset }
}

export function readAt(part: Part, of: Expression, reading: Reading): Expression {
  if (!isTimed(of)) {
    reading.report(part, "@ stands after a selector, a range or a subquery only")
    return of
  }
  if (of.at !== undefined) reading.report(part, "@ stands here twice; remove one")
  return { ...of, to: part.to, at: readTime(part.node, reading) }
}

function readTime(node: SyntaxNode, reading: Reading): number | "start()" | "end()" {
  const time = children(node).at(-1) ?? node
  if (time.name !== "NumberDurationLiteral") return /^start$/i.test(textOf(time, reading)) ? "start()" : "end()"
  const seconds = readNumber(time, reading)
  if (!(Math.abs(seconds) < 2 ** 63)) reading.report(time, "@ needs seconds since 1970 that a server can hold")
  return seconds
}

export function readExtended(part: Part, of: Expression, reading: Reading): Expression {
  const { node } = part
  const modifier = node.name === "SmoothedExpr" ? "smoothed" : "anchored"
  requireFeature("promql-extended-range-selectors", modifier, children(node).at(-1) ?? node, reading)
  if (of.kind !== "selector") {
    reading.report(part, `${modifier} stands after a selector or a range only`)
    return of
  }
  if (of.modifier !== undefined && of.modifier !== modifier) {
    reading.report(part, "smoothed and anchored exclude each other; remove one")
  }
  return { ...of, to: part.to, modifier }
}

function isTimed(expression: Expression): expression is Timed {
  return expression.kind === "selector" || expression.kind === "subquery"
}
