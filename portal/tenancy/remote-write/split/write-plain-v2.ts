import type { Output } from "./output.ts"
import type { Remap } from "./remap.ts"
import type { Symbols } from "./symbols.ts"

/** Tags of one byte: of a series, of its parts, and of its metadata's. */
const SERIES_TAG = 0x2a
const [LABELS_TAG, METADATA_TAG] = [0x0a, 0x2a]
const [TYPE_TAG, HELP_TAG, UNIT_TAG] = [0x08, 0x18, 0x20]

/**
 * Writes a series that the reader of series found plain: packed labels, then samples, and metadata in one piece. There is
 * room in `out`. `stripped` is the number of a name, or 0.
 */
export function writePlain(
  symbols: Symbols,
  remap: Remap,
  out: Output,
  start: number,
  end: number,
  stripped: number,
): void {
  const from = symbols.bytes
  const to = out.bytes
  let at = start + 2
  let labelsEnd = at + (from[start + 1] as number)
  if (labelsEnd - at >= 0x80) labelsEnd += 1 + ((from[at++] as number) - 1) * 0x80
  let next = out.at
  to[next++] = SERIES_TAG
  const content = ++next
  to[next++] = LABELS_TAG
  const labels = ++next
  while (at < labelsEnd) {
    let name = from[at++] as number
    if (name >= 0x80) {
      name += ((from[at++] as number) - 1) << 7
      if (name >= 0x4000) name += ((from[at++] as number) - 1) << 14
    }
    let value = from[at++] as number
    if (value >= 0x80) {
      value += ((from[at++] as number) - 1) << 7
      if (value >= 0x4000) value += ((from[at++] as number) - 1) << 14
    }
    if (stripped !== 0 && symbols.nameOf(name) === stripped) continue
    next = writeVarint(to, next, remap.of(name))
    next = writeVarint(to, next, remap.of(value))
  }
  next = closePart(to, labels, next)
  let metadata = 0
  while (at < end) {
    const part = at
    at += 2 + (from[at + 1] as number)
    if (from[part] === METADATA_TAG) metadata = part
    else for (let read = part; read < at;) to[next++] = from[read++] as number
  }
  if (metadata > 0) next = writeMetadata(from, metadata, to, next, remap)
  out.at = closePart(to, content, next)
}

/** Returns where it ends. */
function writeMetadata(from: Buffer, start: number, to: Buffer, at: number, remap: Remap): number {
  let type = 0
  let help = 0
  let unit = 0
  for (let read = start + 2, end = read + (from[start + 1] as number); read < end;) {
    const tag = from[read++]
    let value = from[read++] as number
    if (value >= 0x80) {
      value += ((from[read++] as number) - 1) << 7
      if (value >= 0x4000) value += ((from[read++] as number) - 1) << 14
    }
    if (tag === TYPE_TAG) type = value
    else if (tag === HELP_TAG) help = value
    else unit = value
  }
  if (type === 0 && help === 0 && unit === 0) return at
  to[at] = METADATA_TAG
  let next = at + 2
  next = writeField(to, next, TYPE_TAG, type)
  next = writeField(to, next, HELP_TAG, help === 0 ? 0 : remap.of(help))
  next = writeField(to, next, UNIT_TAG, unit === 0 ? 0 : remap.of(unit))
  to[at + 1] = next - at - 2
  return next
}

function writeField(to: Buffer, at: number, tag: number, value: number): number {
  if (value === 0) return at
  to[at] = tag
  return writeVarint(to, at + 1, value)
}

function writeVarint(to: Buffer, at: number, value: number): number {
  let next = at
  let rest = value
  while (rest >= 0x80) {
    to[next++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  to[next++] = rest
  return next
}

/** Writes the length before a part for which a byte is left, and returns where the part ends: it moves where the length takes more. */
function closePart(to: Buffer, start: number, end: number): number {
  const length = end - start
  if (length < 0x80) {
    to[start - 1] = length
    return end
  }
  let size = 1
  for (let rest = length; rest >= 0x80; rest >>>= 7) size++
  to.copyWithin(start - 1 + size, start, end)
  return writeVarint(to, start - 1, length) + length
}
