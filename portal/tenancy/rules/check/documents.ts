import { type Document, isAlias, isNode, isScalar, LineCounter, parseAllDocuments, type Scalar, visit } from "yaml"
import type { Path } from "#core/config/config-file.ts"
import { nodeAt } from "#core/config/yaml-path.ts"
import { explain } from "#core/errors.ts"
import { quote } from "../../tenants/quote.ts"
import { scalarOffsets } from "./scalar-offsets.ts"

/** From 1; columns in UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** One YAML document of a file, which may be JSON. */
export interface FileDocument {
  /** Why it cannot be read; else undefined. */
  readonly fault: string | undefined
  readonly value: unknown
  /** The same with numbers and booleans as the texts that are written, as Prometheus reads them where it expects a text. */
  readonly asWritten: () => unknown
  /** The same with `No`, `on` and the like as booleans, as kubectl reads it. */
  readonly asApplied: () => unknown
  /** Of a key, or of a part of the text that stands there. */
  readonly placeOf: (path: Path, span?: Span) => Place
  readonly textAt: (path: Path) => string | undefined
}

interface Span {
  readonly from: number
  readonly to: number
}

/** More than anybody writes by hand: each stands for all that its anchor holds. */
const MOST_ALIASES = 10_000

/** Characters that YAML does not take, but for a mark of the byte order before all others. */
const CONTROL = /(?![\t\n\r\x85])\p{Cc}|[\ufffe\uffff]|(?<!^)\ufeff/u

/** All documents of a text, which is none where there is nothing but comments. */
export function readDocuments(text: string): readonly FileDocument[] {
  // the parser would not count the lines behind a fault
  const lines = new LineCounter()
  for (const { index } of text.matchAll(/(?<=\n|^)/g)) lines.addNewLine(index)
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  try {
    const documents = parseAllDocuments(text, { prettyErrors: false, merge: true })
    const control = CONTROL.exec(text)
    if (control !== null)
      return [unreadable(`the character ${quote(control[0])} may not stand there`, place(control.index))]
    return Array.from(documents as readonly Document[], (document) => {
      try {
        return readDocument(document, text, place)
      } catch (error) {
        return unreadable(reasonOf(error), place(document.range?.[0] ?? 0))
      }
    })
  } catch (error) {
    return [unreadable(reasonOf(error), place(0))]
  }
}

/** The parser keeps the message of a stack that is full as one of its own. */
const reasonOf = (error: unknown): string =>
  explain(error).includes("call stack") ? "it is nested too deeply" : explain(error)

/** What most often stands in the line of a fault. */
function hintAt(offset: number, text: string): string {
  const [line = ""] = text.slice(text.lastIndexOf("\n", offset - 1) + 1).split("\n", 1)
  return line.includes("{{") ? "; put text that begins with {{ in quotes, and render templates of Helm first" : ""
}

const unreadable = (fault: string, place: Place): FileDocument => ({
  fault,
  value: undefined,
  asWritten: () => undefined,
  asApplied: () => undefined,
  placeOf: () => place,
  textAt: () => undefined,
})

function readDocument(document: Document, text: string, place: (offset: number) => Place): FileDocument {
  const [error] = document.errors
  if (error !== undefined) return unreadable(`${reasonOf(error)}${hintAt(error.pos[0], text)}`, place(error.pos[0]))
  const fault = faultOfKeys(document)
  if (fault !== undefined) return unreadable(`${fault.message}${hintAt(fault.offset, text)}`, place(fault.offset))
  // an expression may have thousands of problems
  const known = new Map<Scalar, readonly number[] | undefined>()
  const offsetsOf = (scalar: Scalar): readonly number[] | undefined => {
    if (!known.has(scalar)) known.set(scalar, scalarOffsets(scalar, text))
    return known.get(scalar)
  }
  // what is missing at the end is missing behind the last word, not in the line after a block
  const offsetIn = (scalar: Scalar, at: number): number | undefined =>
    offsetsOf(scalar)?.[Math.min(at, String(scalar.value).trimEnd().length)]
  const placeOf = (path: Path, span?: Span): Place => {
    const { node, offset } = nodeAt(document, path)
    const within = span !== undefined && isScalar(node) ? offsetIn(node, span.from) : undefined
    const begin = span !== undefined && isScalar(node) ? node.range?.[0] : undefined
    return place(within ?? begin ?? offset ?? 0)
  }
  const textAt = (path: Path): string | undefined => {
    const { node } = nodeAt(document, path)
    return isScalar(node) && typeof node.value === "string" ? node.value : undefined
  }
  const toValue = (): unknown => document.toJS({ maxAliasCount: MOST_ALIASES })
  const changed = (change: (document: Document) => void) => (): unknown => {
    change(document)
    return toValue()
  }
  const readings = { value: toValue(), asWritten: changed(takeTexts), asApplied: changed(takeBooleans) }
  return { fault: undefined, ...readings, placeOf, textAt }
}

/** What Go's reader refuses of keys, and this one takes: all but texts, and those that are one text in two spellings. */
function faultOfKeys(document: Document): { readonly message: string; readonly offset: number } | undefined {
  let fault: { readonly message: string; readonly offset: number } | undefined
  visit(document, {
    Map: (_, { items }) => {
      const names = new Set<string>()
      for (const { key } of items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0
        const name = isScalar(key) ? (key.source ?? String(key.value)) : undefined
        if (name === undefined && !isAlias(key)) fault = { message: "a key must be text", offset }
        if (name !== undefined && names.has(name)) fault = { message: `the key ${quote(name)} is there twice`, offset }
        if (fault !== undefined) return visit.BREAK
        names.add(name ?? "")
      }
      return undefined
    },
  })
  return fault
}

/** Fields that are no texts in rule files. */
const TYPED: ReadonlySet<unknown> = new Set(["limit", "align_evaluation_time_on_interval"])

function takeTexts(document: Document): void {
  visit(document, {
    Pair: (_, { key }) => (isScalar(key) && TYPED.has(key.value) ? visit.SKIP : undefined),
    Scalar: (_, scalar) => {
      if (/^(?:number|bigint|boolean)$/.test(typeof scalar.value)) scalar.value = scalar.source ?? scalar.value
    },
  })
}

const TRUE = /^(?:[yY]|yes|Yes|YES|on|On|ON)$/
const FALSE = /^(?:[nN]|no|No|NO|off|Off|OFF)$/

/** Those of YAML 1.1. */
function takeBooleans(document: Document): void {
  visit(document, {
    Scalar: (key, scalar) => {
      if (key === "key" || scalar.type !== "PLAIN" || typeof scalar.value !== "string") return
      if (TRUE.test(scalar.value)) scalar.value = true
      else if (FALSE.test(scalar.value)) scalar.value = false
    },
  })
}
