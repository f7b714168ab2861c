import type { Slice } from "../split/slice.ts"

/**
 * Keys of the slices of a request: the same ones where the same bytes are split again by the same rules. A slice that is of
 * another size has another key.
 */
export function keyed(slices: readonly Slice[]): ReadonlyMap<string, Slice> {
  const found = new Map<string, Slice>()
  for (const slice of slices) {
    const key = `${slice.tenant} ${slice.series} ${slice.bytes} ${slice.group}`
    // version 2 has its exemplars apart
    let number = 1
    while (found.has(`${key} ${number}`)) number++
    found.set(`${key} ${number}`, slice)
  }
  return found
}
