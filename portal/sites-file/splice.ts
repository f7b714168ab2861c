import { type CST, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml"
import { written } from "./written.ts"

/** A part of a text and what takes its place. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

export const splice = (text: string, { from, to, text: inserted }: Splice): string =>
  text.slice(0, from) + inserted + text.slice(to)

const newlineOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n")

/** Where what stands in a node ends, without a comment or line break behind it. */
function endOf(node: unknown): number {
  if ((isMap(node) || isSeq(node)) && node.flow !== true) {
    const last: unknown = node.items.at(-1)
    if (isMap(node)) return endOfPair(last as Pair)
    return endOf(last)
  }
  return (node as { readonly range?: readonly number[] }).range?.[1] ?? 0
}

const startOf = (node: unknown): number => (node as { readonly range?: readonly number[] }).range?.[0] ?? 0

const endOfPair = (pair: Pair): number =>
  pair.value === null || isEmpty(pair.value) ? behindColon(pair) : endOf(pair.value)

function behindColon({ key, srcToken }: Pair): number {
  const colon = srcToken?.sep?.find(({ type }) => type === "map-value-ind")
  return colon === undefined ? endOf(key) : colon.offset + 1
}

const isEmpty = (value: unknown): boolean => isScalar(value) && value.value === null && (value.source ?? "") === ""

const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1

/** Behind the line break of the line; of the line before where nothing stands between it and `at`. */
function lineEnd(text: string, at: number): number {
  if (at > 0 && text[at - 1] === "\n") return at
  const end = text.indexOf("\n", at)
  return end < 0 ? text.length : end + 1
}

/** What begins a line of its own at `at`, where a line begins or the text ends without a line break. */
function lines(text: string, at: number, added: string): Splice {
  const newline = newlineOf(text)
  const before = at > 0 && text[at - 1] !== "\n" ? newline : ""
  return { from: at, to: at, text: before + added + (before === "" ? newline : "") }
}

const columnOf = (text: string, at: number): number => at - lineStart(text, at)

export function setKey(text: string, map: YAMLMap, key: string, value: unknown): Splice {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key)
  if (pair !== undefined) return setValue(text, pair, value)
  const last = map.items.at(-1)
  const added = `${key}: ${written(value)}`
  if (map.flow === true) {
    const at = last === undefined ? startOf(map) + 1 : endOfPair(last)
    return { from: at, to: at, text: last === undefined ? added : `, ${added}` }
  }
  const indent = " ".repeat(columnOf(text, startOf(map.items[0]?.key)))
  return lines(text, lineEnd(text, endOfPair(last as Pair)), indent + added)
}

function setValue(text: string, pair: Pair, value: unknown): Splice {
  const { value: old } = pair
  const behindKey = behindColon(pair)
  if (old === null || isEmpty(old)) return { from: behindKey, to: behindKey, text: ` ${written(value)}` }
  const [start, to] = [startOf(old), endOf(old)]
  const isBlock = (isMap(old) || isSeq(old)) && old.flow !== true
  // a comment behind the key stays: the value then stays in its own line
  const from = isBlock && !text.slice(behindKey, start).includes("#") ? behindKey : start
  const ending = to > 0 && text[to - 1] === "\n" ? newlineOf(text) : ""
  return { from, to, text: (from === start ? "" : " ") + written(value) + ending }
}

export function deleteKey(text: string, map: YAMLMap, key: string): Splice | undefined {
  const index = map.items.findIndex((item) => isScalar(item.key) && item.key.value === key)
  const [before, pair, after] = [map.items[index - 1], map.items[index], map.items[index + 1]]
  if (pair === undefined) return undefined
  const [start, end] = [startOf(pair.key), endOfPair(pair)]
  if (map.flow === true) {
    if (after !== undefined) return { from: start, to: startOf(after.key), text: "" }
    return { from: before === undefined ? start : endOfPair(before), to: end, text: "" }
  }
  if (text.slice(lineStart(text, start), start).trim() === "")
    return { from: lineStart(text, start), to: lineEnd(text, end), text: "" }
  // behind the dash of its entry; comments before the next key stay
  const next = after === undefined ? end : startOf(after.key)
  return { from: start, to: text.slice(end, next).includes("#") ? end : next, text: "" }
}

/** Of an item of a list in lines. */
function dashOf(list: YAMLSeq, index: number): number {
  const { items } = list.srcToken as CST.BlockSequence
  return items[index]?.start.find(({ type }) => type === "seq-item-ind")?.offset ?? 0
}

/** Behind the item, and behind the comments that are indented as its keys are. */
function endOfItem(text: string, list: YAMLSeq, index: number): number {
  const dash = columnOf(text, dashOf(list, index))
  let end = lineEnd(text, endOf(list.items[index]))
  for (;;) {
    const line = text.slice(end, lineEnd(text, end + 1))
    if (end >= text.length || !line.trimStart().startsWith("#") || line.search(/\S/) <= dash) return end
    end += line.length
  }
}

/** An entry at the end of the list under a key; without one, at the end of the map. */
export function addItem(text: string, map: YAMLMap | undefined, key: string, entry: object): Splice {
  const pair = map?.items.find((item) => isScalar(item.key) && item.key.value === key)
  const list = pair?.value
  if (isSeq(list) && list.flow !== true) {
    const column = columnOf(text, dashOf(list, 0))
    return lines(text, endOfItem(text, list, list.items.length - 1), inLines(text, entry, column))
  }
  if (isSeq(list)) {
    const at = list.items.length === 0 ? startOf(list) + 1 : endOf(list.items.at(-1))
    return { from: at, to: at, text: (list.items.length === 0 ? "" : ", ") + written(entry) }
  }
  if (map?.flow === true) return setKey(text, map, key, [entry])
  if (pair === undefined) return lines(text, text.length, `${key}:${newlineOf(text)}${inLines(text, entry, 2)}`)
  if (list !== null && !isEmpty(list)) return setKey(text, map as YAMLMap, key, [entry])
  return lines(text, lineEnd(text, endOfPair(pair)), inLines(text, entry, 2))
}

const inLines = (text: string, entry: object, column: number): string =>
  Object.entries(entry)
    .map(([key, value], index) => `${" ".repeat(column)}${index === 0 ? "- " : "  "}${key}: ${written(value)}`)
    .join(newlineOf(text))

/** Comments before an item stay: they may be about what follows, too. */
export function deleteItem(text: string, list: YAMLSeq, index: number): Splice {
  if (list.flow === true) {
    const [before, after] = [list.items[index - 1], list.items[index + 1]]
    if (after !== undefined) return { from: startOf(list.items[index]), to: startOf(after), text: "" }
    const from = before === undefined ? startOf(list.items[index]) : endOf(before)
    return { from, to: endOf(list.items[index]), text: "" }
  }
  return { from: lineStart(text, dashOf(list, index)), to: endOfItem(text, list, index), text: "" }
}
