import { isUtf8 } from "node:buffer"
import { EXPORTED } from "../../../sites/exported.ts"
import type { SeriesRules } from "./series-rules.ts"

/** What becomes of the labels with one name. */
export interface LabelName {
  /** As it was sent. */
  readonly source: Buffer
  readonly text: string
  readonly isUtf8: boolean
  /** As it is forwarded. */
  readonly bytes: Buffer
  /** The same with a character for each byte: in their order labels are sorted. */
  readonly key: string
  readonly renamed: boolean
  /** Its place among the labels that the sender's selectors mention, or -1. */
  readonly watched: number
  /** The value that is set under this name, in place of the sender's. */
  readonly own: Buffer | undefined
}

/** Names that are remembered; a sender can make up any number. */
const [MOST_NAMES, LONGEST_NAME] = [5000, 300]

/** The names of a sender's labels, each looked at once. */
export class LabelNames {
  readonly #rules: SeriesRules
  readonly #known = new Map<string, LabelName>()

  constructor(rules: SeriesRules) {
    this.#rules = rules
  }

  /** `guess`: what it may be, such as the one at the same place in the series before. */
  of(bytes: Buffer, start: number, end: number, guess?: LabelName): LabelName {
    if (guess !== undefined && isSame(guess.source, bytes, start, end)) return guess
    const source = bytes.toString("latin1", start, end)
    const known = this.#known.get(source)
    if (known !== undefined) return known
    const name = this.#read(bytes.subarray(start, end))
    if (end - start > LONGEST_NAME) return name
    if (this.#known.size >= MOST_NAMES) this.#known.clear()
    this.#known.set(source, name)
    return name
  }

  #read(bytes: Buffer): LabelName {
    const { labels, exported, matching } = this.#rules
    const text = bytes.toString("utf8")
    const prefixes = prefixesOf(text, exported)
    const forwarded = prefixes === 0 ? Buffer.from(bytes) : Buffer.from(EXPORTED.repeat(prefixes) + text)
    return {
      source: Buffer.from(bytes),
      text,
      isUtf8: isUtf8(bytes),
      bytes: forwarded,
      key: forwarded.toString("latin1"),
      renamed: prefixes > 0,
      watched: matching?.labels.indexOf(text) ?? -1,
      own: Object.hasOwn(labels, text) ? Buffer.from(labels[text] ?? "") : undefined,
    }
  }
}

function isSame(source: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = source
  if (length !== end - start) return false
  for (let at = 0; at < length; at++) if (source[at] !== bytes[start + at]) return false
  return true
}

function prefixesOf(name: string, exported: SeriesRules["exported"]): number {
  for (let rest = name; ; rest = rest.slice(EXPORTED.length)) {
    const prefixes = exported.get(rest)
    if (prefixes !== undefined) return prefixes
    if (!rest.startsWith(EXPORTED)) return 0
  }
}
