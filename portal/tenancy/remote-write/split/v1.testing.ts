import { decodeBlock, preamble } from "../../wire/snappy.ts"
import type { Batch, Slice } from "./slice.ts"

/** Parts of messages of version 1, written by hand. */

export function number(value: number): Buffer {
  const bytes = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

export const field = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([number(8 * tag + 2), number(content.length), content])

export const label = (name: string | Buffer, value: string | Buffer): Buffer =>
  field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]))

/** The value 0, as of most counters of errors, is left out. */
export const sample = (milliseconds = 1_790_000_000_000): Buffer =>
  field(2, Buffer.concat([number(8 * 2), number(milliseconds)]))

export const timeSeries = (...parts: Buffer[]): Buffer => field(1, Buffer.concat(parts))

export const up = (tenant: string | undefined, instance: string): Buffer =>
  timeSeries(
    label("__name__", "up"),
    label("instance", instance),
    ...(tenant === undefined ? [] : [label("tenant_id", tenant)]),
    sample(),
  )

export const metadata = (family: string | Buffer, type: number, help: string): Buffer =>
  field(
    3,
    Buffer.concat([
      ...(type === 0 ? [] : [number(8), number(type)]),
      ...(family.length === 0 ? [] : [field(2, Buffer.from(family))]),
      field(4, Buffer.from(help)),
    ]),
  )

/** The message of the slices in one batch, as text of one byte a character. */
export function messageOf(...slices: Slice[]): string {
  const batch: Batch = { version: 1, symbols: 0, decodedBytes: 0, chunks: [] }
  for (const slice of slices) slice.appendTo(batch)
  return decodeBlock(Buffer.concat([preamble(batch.decodedBytes), ...batch.chunks])).toString("latin1")
}
