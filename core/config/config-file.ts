import { parse as parseToml, TomlError } from "smol-toml"
import { type Document, LineCounter, parseDocument, type Scalar, visit } from "yaml"
import type { z } from "zod"
import { ConfigurationError, explain, type Fault } from "#core/errors.ts"
import { type ReadText, readText } from "#core/files/read-text.ts"
import { explainIssue } from "./schema.ts"
import { nodeAt } from "./yaml-path.ts"

export type Path = readonly (string | number)[]

/** Text of a file, with its place in the document for every path of keys. */
interface Parsed {
  readonly value: unknown
  readonly locate: (path: Path) => string
}

export interface ConfigFile<T> {
  readonly value: T
  /** `sites.yaml:3:5 sites[0].url`: where a key stands, for faults that only show across entries. */
  readonly where: (path: Path) => string
}

/** Reads a YAML file and validates it as a whole. Throws ConfigurationError with every fault. */
export function readYamlFile<T>(file: string, schema: z.ZodType<T>, read: ReadText = readText): Promise<ConfigFile<T>> {
  return Promise.try(() => parseYaml(read(file), file, schema))
}

/**
 * The same with every scalar as the text that is written, but for null: `0123`, `1.10` and `0x10` may be passwords. Merge
 * keys (`<<`) are merged, as other programs that read these files do.
 */
export function readYamlTexts<T>(file: string, schema: z.ZodType<T>): Promise<ConfigFile<T>> {
  return Promise.try(() => parseYamlTexts(readText(file), file, schema))
}

export function parseYamlTexts<T>(text: string, file: string, schema: z.ZodType<T>): ConfigFile<T> {
  return validate(fromYaml(text, file, true), file, schema)
}

/** The same for TOML. */
export function readTomlFile<T>(file: string, schema: z.ZodType<T>): Promise<ConfigFile<T>> {
  return Promise.try(() => parseTomlText(readText(file), file, schema))
}

export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): ConfigFile<T> {
  return openYaml(text, file).as(schema)
}

/** A YAML text to be looked at in several ways: it is parsed once. */
export interface OpenYaml {
  /** Throws ConfigurationError with every fault. */
  as<T>(schema: z.ZodType<T>): ConfigFile<T>
  /** How it is written. */
  readonly document: Document
}

/** Throws ConfigurationError where it is no YAML. */
export function openYaml(text: string, file: string): OpenYaml {
  const parsed = fromYaml(text, file)
  return { as: (schema) => validate(parsed, file, schema), document: parsed.document }
}

export function parseTomlText<T>(text: string, file: string, schema: z.ZodType<T>): ConfigFile<T> {
  return validate(fromToml(text, file), file, schema)
}

function validate<T>(parsed: Parsed, file: string, schema: z.ZodType<T>): ConfigFile<T> {
  const where = (path: Path): string => `${file}${parsed.locate(path)} ${showPath(path)}`.trimEnd()
  const result = schema.safeParse(parsed.value, { reportInput: false, error: explainIssue })
  if (result.success) return { value: result.data, where }
  const faults = result.error.issues.flatMap((issue) => faultsOf(issue, where))
  if (parsed.value !== null) throw new ConfigurationError(faults)
  throw new ConfigurationError(faults.map((fault) => ({ ...fault, message: `is empty; it ${fault.message}` })))
}

const UNKNOWN_KEY = "unknown key"

function faultsOf(issue: z.core.$ZodIssue, where: (path: Path) => string): Fault[] {
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ where: where([...path, key]), message: UNKNOWN_KEY }))
  }
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return issue.issues.flatMap((inner) => faultsOf({ ...inner, path: issue.path }, where))
  }
  if (issue.code === "invalid_union") {
    // the branch that came furthest is the one that was meant
    const branches = issue.errors.map((errors) =>
      errors.flatMap((error) => faultsOf({ ...error, path: [...path, ...error.path] }, where)),
    )
    const deepest = branches.filter((faults) => faults.some((fault) => fault.where !== where(path)))
    const known = deepest.filter((faults) => faults.every(({ message }) => message !== UNKNOWN_KEY))
    const [meant] = known.length === 1 ? known : deepest
    if (meant !== undefined && (known.length === 1 || deepest.length === 1)) return meant
  }
  return [{ where: where(path), message: issue.message }]
}

/** `sites[0].tls.ca_file` */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (shown, key) => (typeof key === "number" ? `${shown}[${key}]` : shown === "" ? key : `${shown}.${key}`),
    "",
  )
}

function fromYaml(text: string, file: string, asWritten = false): Parsed & { readonly document: Document } {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: asWritten })
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset)
    return `:${line}:${col}`
  }
  // a warning is an unknown tag, such as that of an encrypted value
  const errors = [...document.errors, ...document.warnings]
  if (errors.length > 0) {
    throw new ConfigurationError(
      errors.map((error) => ({
        where: `${file}${place(error.pos[0])}`,
        message: `not valid YAML: ${error.code === "MULTIPLE_DOCS" ? "a second document begins" : error.message}`,
      })),
    )
  }
  if (asWritten) visit(document, { Scalar: (_, scalar) => takeText(scalar) })
  const locate = (path: Path): string => {
    const { offset } = nodeAt(document, path)
    return offset === undefined ? "" : place(offset)
  }
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown, locate, document }
  } catch (error) {
    throw new ConfigurationError([{ where: file, message: `not valid YAML: ${explain(error)}` }])
  }
}

/** The text of a number or a truth value in place of what it stands for. */
function takeText(scalar: Scalar): void {
  if (/^(?:number|bigint|boolean)$/.test(typeof scalar.value) && scalar.source !== undefined)
    scalar.value = scalar.source
}

function fromToml(text: string, file: string): Parsed {
  try {
    let lines: ReadonlyMap<string, number> | undefined
    return { value: parseToml(text), locate: (path) => lineOf((lines ??= linesOfToml(text)), path) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "")
    throw new ConfigurationError([
      { where: `${file}:${error.line}:${error.column}`, message: `not valid TOML: ${reason}` },
    ])
  }
}

const KEYS = String.raw`((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)`
const HEADER_OR_KEY = new RegExp(String.raw`^\uFEFF?\s*(?:(\[\[?)\s*${KEYS}\s*\]|${KEYS}\s*=)`)

/**
 * The line of every table and key in TOML, by its path joined with NUL. smol-toml keeps no positions; headers and keys at
 * the start of a line are enough to find what people write.
 */
function linesOfToml(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  const counts = new Map<string, number>()
  let table: readonly string[] = []
  text.split("\n").forEach((line, index) => {
    const [found, bracket, header, key = ""] = HEADER_OR_KEY.exec(line) ?? []
    if (found === undefined) return
    if (header !== undefined) table = indexed(keysOf(header), bracket === "[[", counts)
    const path = [...table, ...keysOf(key)].join("\0")
    if (!lines.has(path)) lines.set(path, index + 1)
  })
  return lines
}

/** The line of the longest part of the path that stands somewhere. */
function lineOf(lines: ReadonlyMap<string, number>, path: Path): string {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const line = lines.get(path.slice(0, depth).join("\0"))
    if (line !== undefined) return `:${line}`
  }
  return ""
}

const keysOf = (dotted: string): string[] =>
  [...dotted.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  )

/** The keys of a header with the index of every array of tables on the way. */
function indexed(keys: readonly string[], isArray: boolean, counts: Map<string, number>): readonly string[] {
  const path: string[] = []
  for (const [index, key] of keys.entries()) {
    path.push(key)
    const at = path.join("\0")
    if (isArray && index === keys.length - 1) counts.set(at, (counts.get(at) ?? 0) + 1)
    const count = counts.get(at)
    if (count !== undefined) path.push(String(count - 1))
  }
  return path
}
