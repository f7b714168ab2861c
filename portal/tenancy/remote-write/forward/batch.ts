import { preamble } from "../../wire/snappy.ts"
import type { Version } from "../message/version.ts"
import type { Batch, Slice } from "../split/slice.ts"

/** The body of one upstream request for these slices, a block of snappy. Throws what `appendTo` throws. */
export function bodyOf(version: Version, slices: readonly Pick<Slice, "appendTo">[]): Buffer {
  const batch: Batch = { version, symbols: 0, decodedBytes: 0, chunks: [] }
  for (const slice of slices) slice.appendTo(batch)
  return Buffer.concat([preamble(batch.decodedBytes), ...batch.chunks])
}
