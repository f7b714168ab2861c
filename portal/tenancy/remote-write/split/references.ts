import { LENGTH, VARINT, type WireReader } from "../../wire/wire.ts"
import { MOST_LABELS } from "./labels-v1.ts"

/** Those beyond are counted: a hostile message has one for each of its bytes. */
const MOST = 2 * MOST_LABELS

/** A list of references to symbols, used again and again: names and values of labels in turn. */
export class References {
  readonly values = new Int32Array(MOST)
  length = 0

  /** Adds those of the field that the reader has just read: packed, or a single one. A message may have both, several times. */
  add(reader: WireReader): void {
    const packed = reader.wireType === LENGTH
    if (!packed) reader.require(VARINT)
    const { bytes } = reader
    let at = reader.start
    const end = reader.at
    const { values } = this
    let { length } = this
    while (at < end) {
      let byte = bytes[at++] as number
      let value = byte & 0x7f
      // more than 32 bits are cut off, as protobuf has it for numbers of this type
      for (let shift = 7; byte >= 0x80; shift += 7) {
        if (at === end || shift > 63) reader.refuse("a number is cut off")
        byte = bytes[at++] as number
        if (shift < 32) value |= (byte & 0x7f) << shift
      }
      // beyond its length an array takes nothing
      values[length++] = value
    }
    this.length = length
  }

  /** Packed ones as senders write them. False where one is not below `count`, has more than three bytes, or lacks a partner, or they are many. */
  addPlain(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    const { values } = this
    if (end - start > values.length) return false
    let { length } = this
    let at = start
    while (at < end) {
      let value = bytes[at++] as number
      if (value >= 0x80) {
        value += ((bytes[at++] as number) - 1) << 7
        if (value >= 0x4000) {
          value += ((bytes[at++] as number) - 1) << 14
          if (value >= 0x200000) return false
        }
      }
      if (value >= count) return false
      values[length++] = value
    }
    this.length = length
    return at === end && length % 2 === 0
  }
}

/** A single one: the number that the reader has just read. */
export function readReference(reader: WireReader): number {
  single.length = 0
  single.add(reader)
  return single.values[single.length - 1] as number
}

const single = new References()
