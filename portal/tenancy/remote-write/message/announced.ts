import { otherVersion } from "./errors.ts"
import { MESSAGES, UPSTREAM_HEADERS } from "./media-type.ts"
import type { Version } from "./version.ts"
import { WireReader } from "../../wire/wire.ts"

/** Fields of the messages at their top: series and metadata of version 1, symbols and series of version 2. */
const FIELDS: Readonly<Record<Version, readonly number[]>> = { 1: [1, 3], 2: [4, 5] }

/**
 * Throws a refusal with status 400 where the message is of the other version: it has fields of that one and none of
 * its own. Receivers would read it as one without series, and lose it with a 2xx.
 */
export function requireVersion(message: Buffer, announced: Version): void {
  const other = announced === 1 ? 2 : 1
  const reader = new WireReader(message, MESSAGES[announced])
  let foreign = false
  while (reader.next()) {
    if (FIELDS[announced].includes(reader.field)) return
    foreign ||= FIELDS[other].includes(reader.field)
  }
  if (!foreign) return
  const type = UPSTREAM_HEADERS[other]["content-type"] ?? ""
  throw otherVersion({ other: MESSAGES[other], announced: MESSAGES[announced], type })
}
