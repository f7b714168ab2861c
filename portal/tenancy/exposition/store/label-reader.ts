import { LENGTH, WireReader } from "../../wire/wire.ts"

export const NAME = "__name__"

export type Label = readonly [name: string, value: string]

interface KnownLabel {
  readonly start: number
  readonly end: number
  readonly label: Label
}

/**
 * Reads labels of one message. Series that follow each other have most labels in common: what has the bytes of the label
 * before it, at the same place of a series, is not decoded again.
 */
export class LabelReader {
  readonly #message: Buffer
  readonly #reader: WireReader
  readonly #known: (KnownLabel | undefined)[] = []

  constructor(message: Buffer) {
    this.#message = message
    this.#reader = new WireReader(message, "prometheus.Label", 0, 0)
  }

  /** The label in these bytes, the `place`th of its series. Throws MALFORMED_MESSAGE. */
  read(start: number, end: number, place: number): Label {
    const known = this.#known[place]
    if (known !== undefined && this.#equal(known.start, known.end, start, end)) return known.label
    const label = this.#decode(start, end, known?.label[0] ?? "")
    if (place < MOST_PLACES) this.#known[place] = { start, end, label }
    return label
  }

  #decode(start: number, end: number, likely: string): Label {
    const reader = this.#reader
    let name = ""
    let value = ""
    reader.enter(start, end)
    while (reader.next()) {
      if (reader.field !== 1 && reader.field !== 2) continue
      reader.require(LENGTH)
      if (reader.field === 2) value = this.#message.toString("utf8", reader.start, reader.at)
      else
        name = this.#is(likely, reader.start, reader.at)
          ? likely
          : this.#message.toString("utf8", reader.start, reader.at)
    }
    return [name, value]
  }

  /** From the end, where those differ that begin alike. */
  #equal(aStart: number, aEnd: number, start: number, end: number): boolean {
    if (aEnd - aStart !== end - start) return false
    const message = this.#message
    for (let a = aEnd - 1, b = end - 1; b >= start; a--, b--) if (message[a] !== message[b]) return false
    return true
  }

  /** Of characters of one byte alone. */
  #is(text: string, start: number, end: number): boolean {
    if (text.length !== end - start) return false
    const message = this.#message
    for (let index = 0; index < text.length; index++) {
      const byte = message[start + index] as number
      if (byte > 0x7f || byte !== text.charCodeAt(index)) return false
    }
    return true
  }
}

/** Places of a series whose labels are remembered. */
const MOST_PLACES = 64
