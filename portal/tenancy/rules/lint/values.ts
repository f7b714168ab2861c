import type { Expression } from "#core/promql/expressions/expression.ts"
import { withoutParentheses } from "./walk.ts"

/** Between which values all of its series are; undefined where nothing is known. */
interface Values {
  readonly least: number
  readonly most: number
}

const ALWAYS_ONE: ReadonlySet<string> = new Set(["absent", "absent_over_time", "present_over_time", "group"])
const COUNTS: ReadonlySet<string> = new Set(["count", "count_over_time"])

function valuesOf(of: Expression): Values | undefined {
  const expression = withoutParentheses(of)
  if (expression.kind === "number") return { least: expression.value, most: expression.value }
  if (expression.kind === "call" || expression.kind === "aggregation") {
    const name = expression.kind === "call" ? expression.name : expression.operator
    if (ALWAYS_ONE.has(name)) return { least: 1, most: 1 }
    // what there is nothing of is not counted as 0: it has no result
    if (COUNTS.has(name)) return { least: 1, most: Infinity }
    const [argument] = expression.kind === "call" ? expression.arguments : []
    if (name === "vector" && argument?.kind === "number") return valuesOf(argument)
  }
  return undefined
}

/** What a comparison of constants and counts always results in; undefined where it depends on the series. */
export function alwaysIs(operator: string, left: Expression, right: Expression): boolean | undefined {
  const [a, b] = [valuesOf(left), valuesOf(right)]
  if (a === undefined || b === undefined) return undefined
  const less = a.most < b.least
  const more = a.least > b.most
  const same = a.least === a.most && b.least === b.most && a.least === b.least
  switch (operator) {
    case "==":
      return same ? true : less || more ? false : undefined
    case "!=":
      return same ? false : less || more ? true : undefined
    case "<":
      return less ? true : a.least >= b.most ? false : undefined
    case "<=":
      return a.most <= b.least ? true : more ? false : undefined
    case ">":
      return more ? true : a.most <= b.least ? false : undefined
    case ">=":
      return a.least >= b.most ? true : less ? false : undefined
    default:
      return undefined
  }
}

export const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="])
