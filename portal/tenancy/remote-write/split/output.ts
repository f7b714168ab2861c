const FIRST_CAPACITY = 64 * 1024

/** Bytes of a message under construction, used again for the next one. */
export class Output {
  bytes: Buffer
  at = 0

  constructor(capacity = FIRST_CAPACITY) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for as many bytes more; the methods below do not. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const { bytes } = this
    this.bytes = Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, this.at + more))
    bytes.copy(this.bytes, 0, 0, this.at)
  }

  /** Lets go of what an unusually large message took. */
  trim(most: number): void {
    this.at = 0
    if (this.bytes.length > most) this.bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY)
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  /** Up to 32 bits. */
  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.at++] = rest
  }

  copy(from: Buffer, start: number, end: number): void {
    if (end - start > 48) {
      from.copy(this.bytes, this.at, start, end)
      this.at += end - start
      return
    }
    const { bytes } = this
    let { at } = this
    for (let index = start; index < end; index++) bytes[at++] = from[index] as number
    this.at = at
  }

  /** Begins a part with its length before it; returns what `close` needs. */
  open(): number {
    return ++this.at
  }

  /** The length takes a byte; where it needs more, the part moves. */
  close(start: number): void {
    const length = this.at - start
    if (length < 0x80) {
      this.bytes[start - 1] = length
      return
    }
    let size = 1
    for (let rest = length; rest >= 0x80; rest >>>= 7) size++
    this.bytes.copyWithin(start - 1 + size, start, this.at)
    this.at = start - 1
    this.varint(length)
    this.at += length
  }
}
