import { InvalidRegex } from "./undecidable.ts"

/** A well-formed text as it is read from its begin to its end, by code points. */
export class Letters {
  readonly #text: string
  #at = 0
  /** From where on an end does not come, so that it is searched for once. */
  readonly #missing = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  peek(): string | undefined {
    const point = this.#text.codePointAt(this.#at)
    return point === undefined ? undefined : String.fromCodePoint(point)
  }

  /** Goes on behind `wanted` if that comes next. */
  take(wanted: string): boolean {
    const found = this.#text.startsWith(wanted, this.#at)
    if (found) this.#at += wanted.length
    return found
  }

  /** Throws InvalidRegex with what is missing at the end. */
  next(missing: string): string {
    const letter = this.peek()
    if (letter === undefined) throw new InvalidRegex(missing)
    this.#at += letter.length
    return letter
  }

  /** All up to `end`, which is behind then; undefined, and nothing is read, where it does not come. */
  until(end: string): string | undefined {
    if (this.#at >= (this.#missing.get(end) ?? Infinity)) return undefined
    const found = this.#text.indexOf(end, this.#at)
    if (found === -1) {
      this.#missing.set(end, this.#at)
      return undefined
    }
    const read = this.#text.slice(this.#at, found)
    this.#at = found + end.length
    return read
  }

  /** All digits that come and fit, `most` at the most. */
  digits(fits: RegExp, most = Infinity): string {
    const start = this.#at
    while (this.#at - start < most && fits.test(this.#text.charAt(this.#at))) this.#at++
    return this.#text.slice(start, this.#at)
  }

  /** What `read` makes of the next letters; where that is undefined, they are still to be read. */
  attempt<T>(read: () => T | undefined): T | undefined {
    const start = this.#at
    const found = read()
    if (found === undefined) this.#at = start
    return found
  }
}

export function codePoint(letter: string): number {
  return letter.codePointAt(0) ?? 0
}
