import { hash } from "node:crypto"
import { Part } from "./part.ts"
import type { Rendered } from "./render.ts"

/** Objects of a block: a change of one of them has the text of all compressed anew. */
const MOST = 64

interface Block {
  readonly keys: string[]
  /** Of each object's text: whether it changed is known without the text. */
  readonly digests: string[]
  /** By family. */
  readonly parts: readonly Part[]
}

let stores = 0

export type Store = ReturnType<typeof createStore>

/** Rendered objects of one kind in the order of their keys, of so many families. */
export function createStore(families: number) {
  const id = ++stores
  const blocks: Block[] = []
  const duplicates = new Map<string, number>()
  let [size, version, dropped] = [0, 0, 0]

  const emptyBlock = (): Block => ({ keys: [], digests: [], parts: Array.from({ length: families }, () => new Part()) })

  /** The block that holds the key or has to take it: the last one that does not begin behind it. */
  const blockOf = (key: string): number => {
    let [low, high] = [0, blocks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((blocks[middle]?.keys[0] ?? "") <= key) low = middle
      else high = middle - 1
    }
    return low
  }
  const countDuplicates = (key: string, number: number): void => {
    dropped += number - (duplicates.get(key) ?? 0)
    if (number === 0) duplicates.delete(key)
    else duplicates.set(key, number)
  }
  const append = (key: string, digest: string, texts: readonly string[]): void => {
    let last = blocks.at(-1)
    if (last === undefined || last.keys.length >= MOST) {
      for (const part of last?.parts ?? []) part.compress() // now, not all at once at the next scrape
      blocks.push((last = emptyBlock()))
    }
    last.keys.push(key)
    last.digests.push(digest)
    last.parts.forEach((part, family) => part.push(texts[family] ?? ""))
    size++
    version++
  }
  const splitIfFull = (index: number): void => {
    const block = blocks[index]
    if (block === undefined || block.keys.length <= MOST) return
    const half = block.keys.length >> 1
    blocks.splice(index + 1, 0, {
      keys: block.keys.splice(half),
      digests: block.digests.splice(half),
      parts: block.parts.map((part) => part.split(half)),
    })
  }
  const remove = (key: string): void => {
    const index = blockOf(key)
    const block = blocks[index]
    const at = block === undefined ? -1 : block.keys.indexOf(key)
    if (block === undefined || at < 0) return
    countDuplicates(key, 0)
    block.keys.splice(at, 1)
    block.digests.splice(at, 1)
    for (const part of block.parts) part.splice(at, 1, [])
    if (block.keys.length === 0) blocks.splice(index, 1)
    size--
    version++
  }

  return {
    /** Another for each store. */
    id,
    /** Puts an object in, or another state of it in its place. Whether anything changed by that. */
    put(key: string, { texts, duplicates: number }: Rendered): boolean {
      const digest = hash("sha256", [number, ...texts].join("\0"), "base64")
      const end = blocks.at(-1)?.keys.at(-1)
      if (end === undefined || key > end) {
        countDuplicates(key, number)
        append(key, digest, texts)
        return true
      }
      const index = blockOf(key)
      const block = blocks[index]
      if (block === undefined) return false
      const at = position(block.keys, key)
      const known = block.keys[at] === key ? 1 : 0
      if (known === 1 && block.digests[at] === digest) return false
      countDuplicates(key, number)
      block.keys.splice(at, known, key)
      block.digests.splice(at, known, digest)
      const changed = known === 1 ? block.parts.map((part, family) => !part.has(at, texts[family] ?? "")) : []
      // the digest has the last word, should all checksums be those of before
      const all = !changed.includes(true)
      block.parts.forEach((part, family) => {
        if (all || changed[family] === true) part.splice(at, known, [texts[family] ?? ""])
      })
      version++
      size += 1 - known
      splitIfFull(index)
      return true
    },
    delete: remove,
    /** Deletes the others. */
    retain(stays: (key: string) => boolean): void {
      for (const key of blocks.flatMap(({ keys }) => keys.filter((each) => !stays(each)))) remove(key)
    },
    /** The text of one family, in parts. */
    *parts(family: number): Iterable<Part> {
      for (const { parts } of blocks) {
        const part = parts[family]
        if (part?.isEmpty === false) yield part
      }
    },
    /** Changes with every change of any byte. */
    get version(): number {
      return version
    },
    get size(): number {
      return size
    },
    /** Samples that were left out because one with the same labels stood before them. */
    get duplicates(): number {
      return dropped
    },
  }
}

/** Where the key stands, or would have to stand. */
function position(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? "") < key) low = middle + 1
    else high = middle
  }
  return low
}
