import { malformedMessage } from "../../wire/errors.ts"
import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, WireReader } from "../../wire/wire.ts"
import { MOST_SERIES } from "./bounds.ts"
import { Spans } from "./spans.ts"

const SYMBOLS = 4
const SERIES = 5

/** What is noted of each takes more than these. */
const MOST_SYMBOLS = 2 ** 20

/** Where the symbols and the series of a message of version 2 stand, in any order and mixed. */
export interface Layout {
  readonly symbols: Spans
  readonly series: Spans
}

/** Throws a refusal with status 400 where the message is malformed. */
export function readLayout(message: Buffer): Layout {
  const symbols = new Spans()
  const series = new Spans()
  const reader = new WireReader(message, MESSAGES[2])
  for (;;) {
    reader.at = readPlain(message, reader.at, symbols, series)
    if (!reader.next()) break
    if (reader.field !== SYMBOLS && reader.field !== SERIES) continue
    reader.require(LENGTH)
    const spans = reader.field === SYMBOLS ? symbols : series
    const most = reader.field === SYMBOLS ? MOST_SYMBOLS : MOST_SERIES
    if (spans.length === most) {
      const problem = `it has more than ${most} ${reader.field === SYMBOLS ? "symbols" : "series"}`
      throw malformedMessage({ message: MESSAGES[2], problem, at: reader.start })
    }
    spans.add(reader.start, reader.at)
  }
  return { symbols, series }
}

const [SYMBOL_TAG, SERIES_TAG] = [0x22, 0x2a]

/** Symbols and series as senders write them, up to where something else stands, which is returned. */
function readPlain(message: Buffer, from: number, symbols: Spans, series: Spans): number {
  const end = message.length
  let at = from
  while (at + 2 < end) {
    const tag = message[at]
    let start = at + 2
    let length = message[at + 1] as number
    if (length >= 0x80) {
      const high = message[start++] as number
      if (high >= 0x80) return at
      length += (high - 1) * 0x80
    }
    const next = start + length
    if (next > end) return at
    if (tag === SYMBOL_TAG && symbols.length < MOST_SYMBOLS) symbols.add(start, next)
    else if (tag === SERIES_TAG && series.length < MOST_SERIES) series.add(start, next)
    else return at
    at = next
  }
  return at
}
