import type { Symbols } from "./symbols.ts"

/** Of marks: a symbol that has none has no text that is looked for. */
const MARKS = 2 ** 14

/**
 * For each symbol the one that stands for all with the same text, as far as `wanted` ones are concerned; the others stand
 * for themselves. Senders may have a text twice in their symbols.
 */
export function sameSymbols(symbols: Symbols, wanted: Iterable<number>): Int32Array {
  const { bytes, starts, ends, count } = symbols
  const same = new Int32Array(count)
  for (let reference = 0; reference < count; reference++) same[reference] = reference

  const markOf = (reference: number): number => {
    const [start, end] = [starts[reference] as number, ends[reference] as number]
    const edges = start === end ? 0 : ((bytes[start] as number) << 6) ^ (bytes[end - 1] as number)
    return (Math.imul(end - start, 0x9e37) ^ edges) & (MARKS - 1)
  }
  const marks = new Uint8Array(MARKS)
  const first = new Map<string, number>()
  for (const reference of wanted) {
    marks[markOf(reference)] = 1
    const key = symbols.key(reference)
    if (!first.has(key)) first.set(key, reference)
  }
  // most symbols are told apart from those by their length and edges, and no text is made of them
  for (let reference = 0; reference < count; reference++) {
    if (marks[markOf(reference)] === 0) continue
    same[reference] = first.get(symbols.key(reference)) ?? reference
  }
  return same
}
