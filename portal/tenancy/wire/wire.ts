import { malformedMessage } from "./errors.ts"

/** Types of fields on the wire. Groups (3 and 4) are of older messages and only skipped. */
export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
const START_GROUP = 3
const END_GROUP = 4
const FIXED32 = 5

const MOST_FIELD = 2 ** 29 - 1
/** Of groups within each other: a hostile message has as many as it has bytes. */
const MOST_GROUPS = 100

/**
 * Reads the fields of a protobuf message in place: nothing is copied, and `at` is where the next one begins. Every
 * method throws a refusal with status 400 where the bytes are malformed or end.
 */
export class WireReader {
  readonly bytes: Uint8Array
  at: number
  end: number
  /** Of the field that `next` has read. */
  field = 0
  wireType = 0
  /** Where the field's content begins, without tag and length, and where it ends. */
  start = 0
  readonly #message: string

  /** `message` is its name, for what a refusal says. */
  constructor(bytes: Uint8Array, message: string, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.#message = message
    this.at = at
    this.end = end
  }

  /** Reads from here on, another part of the same bytes. */
  enter(at: number, end: number): void {
    this.at = at
    this.end = end
  }

  /** Reads a whole field, or a whole group as one; `at` is its end. False at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false
    this.tag()
    if (this.wireType === LENGTH) {
      const length = this.varint()
      if (length > this.end - this.at) this.refuse("a field is longer than the rest of the message")
      this.start = this.at
      this.at += length
      return true
    }
    this.start = this.at
    this.#skip()
    return true
  }

  /** Reads the number and type of a field. */
  tag(): void {
    const tag = this.varint()
    this.wireType = tag % 8
    this.field = (tag - this.wireType) / 8
    if (this.field < 1 || this.field > MOST_FIELD) this.refuse("a field has a number that none can have")
  }

  /** Of more than 53 bits it is rounded: enough to compare lengths and to skip. */
  varint(): number {
    let value = 0
    let factor = 1
    for (let count = 1; count <= 10; count++) {
      if (this.at >= this.end) this.refuse("a number is cut off")
      const byte = this.bytes[this.at++] as number
      if (count === 10 && byte > 1) break
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    return this.refuse("a number has more than 64 bits")
  }

  /** A known field of another type is refused, as receivers do. */
  require(wireType: number): void {
    if (this.wireType !== wireType) this.refuse(`field ${this.field} has the wire type ${this.wireType}`)
  }

  #skip(): void {
    if (this.wireType === START_GROUP) this.#skipGroup()
    else this.#skipPlain()
  }

  #skipPlain(): void {
    if (this.wireType === VARINT) this.varint()
    else if (this.wireType === FIXED64) this.#advance(8)
    else if (this.wireType === FIXED32) this.#advance(4)
    else if (this.wireType === LENGTH) this.#advance(this.varint())
    else if (this.wireType === END_GROUP) this.refuse("a group ends that did not begin")
    else this.refuse(`field ${this.field} has the wire type ${this.wireType}, which there is not`)
  }

  #skipGroup(): void {
    const { field } = this
    const open = [field]
    while (open.length > 0) {
      if (this.at >= this.end) this.refuse("a group does not end")
      this.tag()
      if (this.wireType === START_GROUP) {
        if (open.push(this.field) > MOST_GROUPS) this.refuse("groups are nested too deeply")
      } else if (this.wireType === END_GROUP) {
        if (open.pop() !== this.field) this.refuse("a group ends that did not begin")
      } else this.#skipPlain()
    }
    this.field = field
    this.wireType = START_GROUP
  }

  #advance(bytes: number): void {
    if (bytes > this.end - this.at) this.refuse("a field is longer than the rest of the message")
    this.at += bytes
  }

  refuse(problem: string): never {
    throw malformedMessage({ message: this.#message, problem, at: this.at })
  }
}
