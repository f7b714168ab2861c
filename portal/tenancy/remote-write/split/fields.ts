import { FIXED64, LENGTH, VARINT, type WireReader } from "../../wire/wire.ts"

/** How a field's content is written. Repeated numbers stand alone or packed. */
type Kind = "number" | "double" | "numbers" | "doubles" | Fields

/** The known fields of a message by their number. */
export interface Fields {
  readonly [field: number]: Kind
}

const SPAN: Fields = { 1: "number", 2: "number" }

export const SAMPLE: Fields = { 1: "double", 2: "number", 3: "number" }
export const METADATA: Fields = { 1: "number", 3: "number", 4: "number" }
export const HISTOGRAM: Fields = {
  1: "number",
  2: "double",
  3: "double",
  4: "number",
  5: "double",
  6: "number",
  7: "double",
  8: SPAN,
  9: "numbers",
  10: "doubles",
  11: SPAN,
  12: "numbers",
  13: "doubles",
  14: "number",
  15: "number",
  16: "doubles",
  17: "number",
}

export const EXEMPLAR: Fields = { 2: "double", 3: "number" }

/**
 * Reads a message, so that no upstream finds it malformed and refuses all that came with it. Throws a refusal with
 * status 400 where known fields have another type, or the bytes do not make a message.
 */
export function validateFields(reader: WireReader, fields: Fields): void {
  while (reader.next()) validateField(reader, fields)
}

/** The field that the reader has just read. */
export function validateField(reader: WireReader, fields: Fields): void {
  const kind = fields[reader.field]
  if (kind === undefined) return
  if (kind === "number") reader.require(VARINT)
  else if (kind === "double") reader.require(FIXED64)
  else if (kind === "numbers") validatePacked(reader, VARINT)
  else if (kind === "doubles") validatePacked(reader, FIXED64)
  else {
    reader.require(LENGTH)
    const { start, at, end } = reader
    reader.enter(start, at)
    validateFields(reader, kind)
    reader.enter(at, end)
  }
}

function validatePacked(reader: WireReader, single: number): void {
  if (reader.wireType === single) return
  reader.require(LENGTH)
  const { start, at, end } = reader
  if (single === FIXED64) {
    if ((at - start) % 8 !== 0) reader.refuse("packed numbers are cut off")
    return
  }
  reader.enter(start, at)
  while (reader.at < reader.end) reader.varint()
  reader.enter(at, end)
}
