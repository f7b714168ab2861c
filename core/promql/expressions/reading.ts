import type { SyntaxNode } from "@lezer/common"
import type { Dialect } from "./dialect.ts"
import type { Expression, Span } from "./expression.ts"

/** What those share that read parts of one expression. */
export interface Reading {
  readonly text: string
  readonly dialect: Dialect
  /** Something that the dialect refuses: one sentence without a final stop, that says what to do. */
  report(at: Span, message: string): void
  /** Something that the dialect accepts, and does not evaluate for all. */
  note(at: Span, message: string): void
  /** Something of which it is not known whether the dialect refuses it, and why. */
  doubt(reason: string): void
  /** Whose type cannot be known, such as calls of unknown functions: nothing more is reported of what holds them. */
  readonly untyped: Set<Expression>
}

export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child)
  return found
}

/** Those of a name. The parser's own getChildren() takes longer the deeper the node is. */
export function childrenOf(node: SyntaxNode | undefined, name: string): readonly SyntaxNode[] {
  return node === undefined ? [] : children(node).filter((child) => child.name === name)
}

export function childOf(node: SyntaxNode | undefined, name: string): SyntaxNode | undefined {
  return childrenOf(node, name)[0]
}

export function textOf(at: Span, { text }: Reading): string {
  return text.slice(at.from, at.to)
}

/** For messages. */
export function excerpt(text: string): string {
  return text.length > 50 ? `${text.slice(0, 50)}…` : text
}
