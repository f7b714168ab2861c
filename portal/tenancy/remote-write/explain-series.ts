import { ConfigurationError } from "#core/errors.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { decodeBlock, preamble } from "../wire/snappy.ts"
import { LENGTH, WireReader } from "../wire/wire.ts"
import { MESSAGES } from "./message/media-type.ts"
import type { Routing } from "./routing/routing.ts"
import { printLabels } from "./senders/describe.ts"
import type { Sender } from "./senders/sender.ts"
import { LabelReader } from "./split/labels-v1.ts"
import { Output } from "./split/output.ts"
import type { Batch, Slice } from "./split/slice.ts"
import { splitMessage } from "./split-message.ts"

/**
 * Which tenants get a series of a sender, and with which labels: found out as it would be for a request that holds nothing
 * else. Throws ConfigurationError with the reason where it would be set aside.
 */
export function explainSeries(sender: Sender, series: Selector, routing: Routing): string {
  const { name, where, paused } = sender
  const written = printSelector(series)
  const refused = (reason: string): ConfigurationError =>
    new ConfigurationError([{ where, message: `${name} may not write ${written}: ${reason}` }])
  if (paused !== undefined) throw refused(paused)
  const { slices, rejected, seriesByDefault, ignored } = splitMessage(messageOf(series), 1, { sender }, routing)
  for (const { reason } of rejected) throw refused(reason)
  const [why = `no label names an accepted tenant (${routing.tenantLabels.join(", ")})`] = ignored.reasons
  const unnamed = `  ${why}: for default tenants alone\n`
  const lines = slices.map((slice) => `  for ${slice.tenant}  ${printLabels(labelsOf(slice))}\n`)
  return [`${name} writes ${written}\n`, ...(seriesByDefault > 0 ? [unnamed] : []), ...lines].join("")
}

/** Tags: of a series, of a label, of its name and value, of a sample. */
const [SERIES_TAG, LABEL_TAG, NAME_TAG, VALUE_TAG, SAMPLE_TAG] = [0x0a, 0x0a, 0x0a, 0x12, 0x12]

/** Of version 1, with one sample of 0 at the time 0. */
function messageOf(series: Selector): Buffer {
  const out = new Output()
  const part = (tag: number, write: () => void): void => {
    out.reserve(6)
    out.byte(tag)
    const start = out.open()
    write()
    out.reserve(5)
    out.close(start)
  }
  const text = (tag: number, value: string): void => {
    const bytes = Buffer.from(value)
    part(tag, () => {
      out.reserve(bytes.length)
      out.copy(bytes, 0, bytes.length)
    })
  }
  part(SERIES_TAG, () => {
    for (const { label, value } of series) {
      part(LABEL_TAG, () => {
        text(NAME_TAG, label)
        text(VALUE_TAG, value)
      })
    }
    part(SAMPLE_TAG, () => undefined)
  })
  return Buffer.from(out.bytes.subarray(0, out.at))
}

function labelsOf(slice: Slice): readonly (readonly [name: string, value: string])[] {
  const batch: Batch = { version: 1, symbols: 0, decodedBytes: 0, chunks: [] }
  slice.appendTo(batch)
  const message = decodeBlock(Buffer.concat([preamble(batch.decodedBytes), ...batch.chunks]))
  const reader = new WireReader(message, MESSAGES[1])
  reader.next()
  reader.enter(reader.start, reader.at)
  const label = new LabelReader()
  const labels: (readonly [string, string])[] = []
  while (reader.next()) {
    if (reader.field !== 1) continue
    reader.require(LENGTH)
    label.read(reader)
    labels.push([
      message.toString("utf8", label.nameStart, label.nameEnd),
      message.toString("utf8", label.valueStart, label.valueEnd),
    ])
  }
  return labels
}
