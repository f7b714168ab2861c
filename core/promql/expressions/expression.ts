import type { Matcher } from "../selector.ts"

export type ValueType = "scalar" | "vector" | "matrix" | "string"

/** Where it stands: UTF-16 units from 0 in the text of the whole expression. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A PromQL expression that was read; `type` is that of its value. */
export type Expression = Span & { readonly type: ValueType } & (
    NumberLiteral | StringLiteral | VectorSelector | Subquery | Call | Aggregation | Binary | Unary | Parenthesis
  )

interface NumberLiteral {
  readonly kind: "number"
  /** A duration as a number, in seconds. */
  readonly value: number
}

interface StringLiteral {
  readonly kind: "string"
  readonly value: string
}

/** With a range it is a matrix. */
export interface VectorSelector extends TimeModifiers {
  readonly kind: "selector"
  /** With the metric's name, as the label `__name__`; canonical. */
  readonly matchers: readonly Matcher[]
  readonly range: DurationExpression | undefined
  readonly modifier: "anchored" | "smoothed" | undefined
}

export interface Subquery extends TimeModifiers {
  readonly kind: "subquery"
  readonly of: Expression
  readonly range: DurationExpression
  readonly step: DurationExpression | undefined
}

interface TimeModifiers {
  readonly offset: DurationExpression | undefined
  /** Seconds since 1970, or the function. */
  readonly at: number | "start()" | "end()" | undefined
}

/** Milliseconds where it is a literal (an offset may be negative); else its canonical text, such as `step() * 2`. */
export type DurationExpression = number | string

export interface Call {
  readonly kind: "call"
  readonly name: string
  readonly arguments: readonly Expression[]
}

export interface Aggregation {
  readonly kind: "aggregation"
  readonly operator: string
  readonly parameter: Expression | undefined
  readonly of: Expression
  /** undefined: all labels are aggregated away. */
  readonly grouping: { readonly mode: "by" | "without"; readonly labels: readonly string[] } | undefined
}

export interface Binary {
  readonly kind: "binary"
  readonly operator: string
  readonly left: Expression
  readonly right: Expression
  readonly returnsBool: boolean
  readonly matching: VectorMatching | undefined
}

export interface VectorMatching {
  readonly mode: "on" | "ignoring"
  readonly labels: readonly string[]
  readonly group: "left" | "right" | undefined
  /** Of the "one" side, that are copied. */
  readonly include: readonly string[]
  readonly fill: { readonly left: number | undefined; readonly right: number | undefined } | undefined
}

export interface Unary {
  readonly kind: "unary"
  readonly operator: "+" | "-"
  readonly of: Expression
}

export interface Parenthesis {
  readonly kind: "parenthesis"
  readonly of: Expression
}
