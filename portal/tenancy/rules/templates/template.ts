import type { Span } from "#core/promql/expressions/expression.ts"

/** What stands between `{{` and `}}`, or what is wrong there. */
export interface Action extends Span {
  readonly keyword: "value" | "if" | "else" | "range" | "with" | "template" | "block"
  /** Of `template` and `block`. */
  readonly name?: string | undefined
  readonly pipeline: Pipeline | undefined
  /** `.` is the alert itself here: not inside `range`, `with`, `define` or `block`. */
  readonly dotIsAlert: boolean
}

export interface Pipeline extends Span {
  readonly declares: readonly string[]
  readonly commands: readonly Command[]
}

/** A function and its arguments, or one operand. */
export interface Command extends Span {
  readonly operands: readonly Operand[]
}

/** With the fields that follow it: `.Labels.job` is a dot with two. */
export type Operand = Span & { readonly fields: readonly string[] } & (
    | { readonly kind: "function" | "variable"; readonly name: string }
    | { readonly kind: "dot" | "number" | "bool" | "nil" }
    /** Undefined: bytes that are not UTF-8. */
    | { readonly kind: "string"; readonly value: string | undefined }
    | { readonly kind: "pipeline"; readonly of: Pipeline }
  )

export interface Template {
  readonly actions: readonly Action[]
  /** Names of templates that it defines. */
  readonly defined: ReadonlySet<string>
}

/** Why a text is not a template; thrown inside this folder only. */
export class TemplateFault {
  readonly message: string
  readonly from: number
  readonly to: number
  constructor(message: string, { from, to }: Span) {
    this.message = message
    this.from = from
    this.to = to
  }
}
