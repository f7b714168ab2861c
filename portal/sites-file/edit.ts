import { isDeepStrictEqual } from "node:util"
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from "yaml"
import { explain, type FedstackError } from "#core/errors.ts"
import { cannotEdit, siteExists, siteMissing } from "./errors.ts"
import { addItem, deleteItem, deleteKey, setKey, splice } from "./splice.ts"

type Value = Readonly<Record<string, unknown>>

/** What is to be different in sites.yaml. */
export type Change =
  | { readonly kind: "add"; readonly name: string; readonly entry: Value }
  /** Keys of the site's entry; null removes a key. */
  | { readonly kind: "set"; readonly name: string; readonly keys: Value }
  | { readonly kind: "remove"; readonly name: string }

/**
 * The text of sites.yaml with a change, and all else as it is written. Equal to the text where nothing is different. Throws
 * SITE_EXISTS, SITE_MISSING and CANNOT_EDIT.
 */
export function edit(text: string, change: Change): string {
  const before = parse(text)
  const expected = changed(valueOf(before), change)
  const next = changeText(text, before, change)
  // whatever YAML can do that was not thought of: nothing else may become different
  if (!isDeepStrictEqual(valueOf(parse(next, change.name)), expected)) throw tooIntricate(change.name)
  return next
}

function changeText(text: string, document: Document.Parsed, change: Change): string {
  const root = isMap(document.contents) ? document.contents : undefined
  if (change.kind === "add") return splice(text, addItem(text, root, "sites", change.entry))
  const { list, index, entry } = find(document, change.name)
  if (change.kind === "remove") return splice(text, deleteItem(text, list, index))
  if (!isMap(entry)) throw cannotEdit({ name: change.name, reason: "its entry is an alias" })
  const old = entry.toJS(document) as Value
  let next = text
  let map: YAMLMap = entry
  for (const [key, value] of Object.entries(change.keys)) {
    if (value !== null && isDeepStrictEqual(old[key], value)) continue
    const part = value === null ? deleteKey(next, map, key) : setKey(next, map, key, value)
    if (part === undefined) continue
    next = splice(next, part)
    const found = find(parse(next, change.name), change.name)
    if (!isMap(found.entry)) throw cannotEdit({ name: change.name, reason: "its entry is an alias" })
    map = found.entry
  }
  return next
}

function find(document: Document.Parsed, name: string) {
  const list = document.get("sites", true)
  if (!isSeq(list)) throw siteMissing({ name })
  const index = (list.toJS(document) as readonly unknown[]).findIndex((entry) => nameOf(entry) === name)
  if (index < 0) throw siteMissing({ name })
  return { list, index, entry: list.items[index] }
}

const nameOf = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null && "name" in entry ? entry.name : undefined

const tooIntricate = (name: string): FedstackError =>
  cannotEdit({ name, reason: "it is written in a way that only people can change" })

/** `site`: the one whose change made the text what it is. */
function parse(text: string, site?: string): Document.Parsed {
  const document = parseDocument(text, { keepSourceTokens: true, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined && site !== undefined) throw tooIntricate(site)
  if (error !== undefined) throw cannotEdit({ name: "the file", reason: `it is not valid YAML: ${error.message}` })
  try {
    document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    if (site !== undefined) throw tooIntricate(site)
    throw cannotEdit({ name: "the file", reason: `it is not valid YAML: ${explain(cause)}` })
  }
  return document
}

/** Where every site is commented out, nothing stands under the key. */
const valueOf = (document: Document.Parsed): Listing => {
  const value = document.toJS() as Partial<Listing> | null
  return { ...value, sites: value?.sites ?? [] }
}

interface Listing {
  readonly sites: readonly Value[]
}

/** The same change of what the text stands for. */
function changed(value: Listing, change: Change): Listing {
  const { sites } = value
  const { name } = change
  const index = sites.findIndex((entry) => nameOf(entry) === name)
  if (change.kind === "add") {
    if (index >= 0) throw siteExists({ name })
    return { ...value, sites: [...sites, change.entry] }
  }
  if (index < 0) throw siteMissing({ name })
  if (change.kind === "remove") return { ...value, sites: sites.toSpliced(index, 1) }
  const keys = Object.entries({ ...sites[index], ...change.keys }).filter(([, given]) => given !== null)
  return { ...value, sites: sites.with(index, Object.fromEntries(keys)) }
}
