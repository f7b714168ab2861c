/** In place of a reference: the series lacks the label. */
export const LACKS = -1

type Node<T> = Map<number, Node<T> | T>

/** What belongs to lists of references, each looked for once: no text is made of them for every series. */
export class ReferenceLookup<T extends object> {
  readonly #root: Node<T> = new Map()
  readonly #find: (references: Int32Array) => T
  readonly #most: number
  readonly #surplus: T
  #size = 0

  /** `find` is not called for more than `most` lists; all others have `surplus`. */
  constructor(most: number, surplus: T, find: (references: Int32Array) => T) {
    this.#most = most
    this.#surplus = surplus
    this.#find = find
  }

  /** Lists of the same length each time. */
  get(references: Int32Array): T {
    let node = this.#root
    const last = references.length - 1
    for (let index = 0; index < last; index++) {
      let next = node.get(references[index] as number) as Node<T> | undefined
      if (next === undefined && this.#size >= this.#most) return this.#surplus
      if (next === undefined) node.set(references[index] as number, (next = new Map()))
      node = next
    }
    const key = references[last] ?? LACKS
    const known = node.get(key) as T | undefined
    if (known !== undefined) return known
    if (this.#size >= this.#most) return this.#surplus
    const found = this.#find(references)
    node.set(key, found)
    this.#size++
    return found
  }
}
