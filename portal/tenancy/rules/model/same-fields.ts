import { isDeepStrictEqual } from "node:util"
import { parseRuleDuration } from "./duration.ts"
import { sameExpression } from "./same-expression.ts"

/** Whether two values of a field mean the same; undefined: the field is absent. */
export type Same = (a: unknown, b: unknown) => boolean
export type Fields<T> = { readonly [Name in keyof T]-?: Same }

/** Absent where it is empty, as rulers do not keep what is empty. */
const absentAs =
  (isEmpty: (value: unknown) => boolean, same: Same): Same =>
  (a, b) => {
    const [isA, isB] = [a, b].map((value) => value !== undefined && !isEmpty(value))
    return isA === isB && (isA === false || same(a, b))
  }

/** `of`: the comparison of each field. */
export function sameFields(of: (name: string) => Same, a: object, b: object): boolean {
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].every((name) => of(name)(own(left, name), own(right, name)))
}

/** Names of what `b` has and `a` lacks; undefined where they differ in anything else. `of`: the comparison of each field. */
export function absentFields(of: (name: string) => Same, a: object, b: object): readonly string[] | undefined {
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const differing = [...new Set([...Object.keys(right), ...Object.keys(left)])].filter(
    (name) => !of(name)(own(left, name), own(right, name)),
  )
  return differing.every((name) => own(left, name) === undefined) ? differing : undefined
}

const own = (of: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(of, name) ? of[name] : undefined

/** Fields that are not known here have to be equal. */
export const fieldsOf =
  (fields: Readonly<Record<string, Same>>): ((name: string) => Same) =>
  (name) =>
    (Object.hasOwn(fields, name) && fields[name]) || isDeepStrictEqual

/** In their order. */
export function listBy<T extends object>(fields: Fields<T>): Same {
  const of = fieldsOf(fields)
  return (a, b) => {
    const [left, right] = [a, b] as readonly (readonly T[])[]
    return (
      left !== undefined &&
      left.length === right?.length &&
      left.every((rule, index) => sameFields(of, rule, right[index] as T))
    )
  }
}

export const text: Same = (a, b) => a === b || (typeof a === "string" && typeof b === "string" && sameIfFolded(a, b))

/**
 * The YAML that rulers write changes some texts: to it U+2028 and U+2029 are line breaks too, and a text of several
 * lines is written without white space at its start. What differs in nothing else is the same, or it would be written for ever.
 */
function sameIfFolded(a: string, b: string): boolean {
  const fold = [a, b].some((value) => /[\u2028\u2029]/.test(value))
    ? (value: string) => value.replaceAll(/\s+/g, " ").trim()
    : (value: string) => (value.includes("\n") ? value.trimStart() : value)
  return fold(a) === fold(b)
}

/** What is no duration is only equal to itself. */
function milliseconds(value: unknown): unknown {
  const parsed = typeof value === "string" ? parseRuleDuration(value) : undefined
  return typeof parsed === "number" ? parsed : value
}
export const duration: Same = (a, b) => a === b || milliseconds(a) === milliseconds(b)
/** Of a field where 0 is as if it were not there. */
export const durationOrNone = absentAs((value) => milliseconds(value) === 0, duration)
export const numberOrNone = absentAs((value) => value === 0, Object.is)
export const trueOrNone = absentAs((value) => value === false, Object.is)
export const textOrNone = absentAs((value) => value === "", text)

export const map = absentAs(
  (value) => Object.keys(value as object).length === 0,
  (a, b) => sameFields(() => text, a as object, b as object),
)
/** A set: of which tenants series are read. */
export const set = absentAs(
  (value) => (value as readonly string[]).length === 0,
  (a, b) => new Set(a as readonly string[]).symmetricDifference(new Set(b as readonly string[])).size === 0,
)

export const expression: Same = (a, b) =>
  text(a, b) || (typeof a === "string" && typeof b === "string" && sameExpression(a, b))
