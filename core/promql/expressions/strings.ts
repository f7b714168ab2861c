import type { SyntaxNode } from "@lezer/common"
import { BadString, unquote } from "../unquote.ts"
import { type Reading, textOf } from "./reading.ts"

/** A `StringLiteral`, or what consists of one. */
export function readString(node: SyntaxNode, reading: Reading): string {
  const value = unquote(textOf(node, reading))
  if (!(value instanceof BadString)) return value
  if (value.notUnicode) reading.doubt("it holds a string that is not UTF-8")
  else reading.report(node, `${value.problem} in a string`)
  return "\ufffd"
}
