import { parseDocument } from "yaml"
import type { Rule, RuleGroup } from "../model/group.ts"

/** Half a sentence on what is wrong in what a ruler sent. */
export class Unreadable extends Error {}

/**
 * Rulers write YAML 1.1, to which U+2028 and U+2029 are line breaks too. They stand in texts alone, and `sameGroup` makes no
 * difference between them and other blanks. An end of a text after one is not indented, as it has to be.
 */
export const withLineFeeds = (text: string): string =>
  text.replaceAll(/[\u2028\u2029](')?/g, (_, quote?: string) => (quote === undefined ? "\n" : `\n${INDENTED}'`))

const INDENTED = " ".repeat(64)

/**
 * The value of a YAML text with every scalar as the text that it stands for: what is a number is known of each field, and no
 * version of YAML can have another opinion of `yes`. Throws Unreadable.
 */
export function parseTexts(text: string): unknown {
  const document = parseDocument(text, { schema: "failsafe", prettyErrors: false, uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) throw new Unreadable("is not valid YAML")
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: 100 }) as unknown
  } catch {
    throw new Unreadable("is not valid YAML")
  }
}

const TEXT = (value: unknown): string => {
  if (typeof value !== "string") throw new Unreadable("has a list or a map in place of a text")
  return value
}
const NUMBER = (value: unknown): number => {
  const text = TEXT(value)
  if (!/^-?\d{1,15}$/.test(text)) throw new Unreadable("has a text in place of a number")
  return Number(text)
}
const BOOLEAN = (value: unknown): boolean => {
  const text = TEXT(value)
  if (text !== "true" && text !== "false") throw new Unreadable("has a text in place of true or false")
  return text === "true"
}
const MAP = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(entriesOf(value).map(([name, text]) => [name, TEXT(text)]))
const LIST = (value: unknown): readonly unknown[] => {
  if (isNull(value)) return []
  if (!Array.isArray(value)) throw new Unreadable("has no list where one is expected")
  return value
}

type Fields<T> = { readonly [Name in keyof T]-?: (value: unknown) => T[Name] }

const RULE: Fields<Rule> = {
  record: TEXT,
  alert: TEXT,
  expr: TEXT,
  for: TEXT,
  keep_firing_for: TEXT,
  labels: MAP,
  annotations: MAP,
}
const GROUP: Fields<RuleGroup> = {
  name: TEXT,
  interval: TEXT,
  query_offset: TEXT,
  limit: NUMBER,
  labels: MAP,
  rules: (value) => LIST(value).map(ruleOf),
  source_tenants: (value) => LIST(value).map(TEXT),
  align_evaluation_time_on_interval: BOOLEAN,
  evaluation_delay: TEXT,
}

/** A group with all its fields, those that are not known as plain values. Throws Unreadable. */
export function groupOf(value: unknown): RuleGroup {
  const { name = "", rules = [], ...fields } = read(GROUP, value)
  if (name === "") throw new Unreadable("has a group without a name")
  if (rules.length === 0) throw new Unreadable("has a group without rules")
  return { name, ...fields, rules }
}

function ruleOf(value: unknown): Rule {
  const { expr, ...fields } = read(RULE, value)
  if (expr === undefined || (fields.record ?? fields.alert) === undefined)
    throw new Unreadable("has a rule without an expression or a name")
  return { ...fields, expr }
}

function read<T>(fields: Fields<T>, value: unknown): Partial<T> {
  const known: Readonly<Record<string, (value: unknown) => unknown>> = fields
  const of = (name: string): ((value: unknown) => unknown) => (Object.hasOwn(known, name) && known[name]) || plain
  return Object.fromEntries(entriesOf(value).map(([name, part]) => [name, of(name)(part)])) as Partial<T>
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (isNull(value)) return []
  if (!(value instanceof Map)) throw new Unreadable("has no map where one is expected")
  return [...(value as ReadonlyMap<unknown, unknown>)].map(([key, part]) => [TEXT(key), part])
}

const isNull = (value: unknown): boolean => value === null || value === "" || value === "null" || value === "~"

const plain = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(plain)
    : value instanceof Map
      ? Object.fromEntries([...(value as ReadonlyMap<unknown, unknown>)].map(([key, part]) => [TEXT(key), plain(part)]))
      : value
