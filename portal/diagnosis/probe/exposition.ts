import { isUtf8 } from "node:buffer"
import { type LineFault, readSample, type Sample } from "./sample-line.ts"

/** What an exposition holds, up to the first line that is wrong. */
export interface Exposition {
  readonly samples: readonly Sample[]
  readonly fault: ExpositionFault | undefined
}

export interface ExpositionFault extends LineFault {
  /** From 1 on. */
  readonly line: number
  readonly text: string
}

const METRIC_TYPES = ["counter", "gauge", "histogram", "summary", "untyped"]

/**
 * Reads text format 0.0.4 or OpenMetrics as Prometheus does; all of Prometheus' versions refuse the whole exposition because of one
 * line. `whole`: the bytes end where the exposition does, not in the middle of a line.
 */
export function readExposition(body: Buffer, { openMetrics = false, whole = true } = {}): Exposition {
  const bytes = whole ? body : body.subarray(0, body.lastIndexOf(0x0a) + 1)
  const notUtf8 = isUtf8(bytes) ? -1 : lineThatIsNoUtf8(bytes)
  const lines = bytes.toString("utf8").split("\n")
  const samples: Sample[] = []
  for (const [index, text] of lines.entries()) {
    const faulty = (fault: LineFault): Exposition => ({ samples, fault: { ...fault, line: index + 1, text } })
    if (index === notUtf8) return faulty({ metric: metricIn(text) })
    if (text.trim() === "" && !/[\r\f\v]/.test(text)) {
      if (openMetrics && index < lines.length - 1) return faulty({ metric: "" })
      continue
    }
    if (/^[ \t]*#/.test(text)) {
      const [, type] = /^#[ \t]+TYPE[ \t]+\S+[ \t]+(.*)$/.exec(text) ?? []
      if (type !== undefined && !openMetrics && !METRIC_TYPES.includes(type)) return faulty({ metric: metricIn(text) })
      continue
    }
    const read = readSample(text, openMetrics)
    if (!("labels" in read)) return faulty(read)
    samples.push(read)
  }
  if (openMetrics && whole && lines.findLast((line) => line !== "") !== "# EOF")
    return { samples, fault: { metric: "", line: lines.length, text: "the end without # EOF" } }
  return { samples, fault: undefined }
}

function lineThatIsNoUtf8(bytes: Buffer): number {
  let [line, begin] = [0, 0]
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, begin)) {
    if (!isUtf8(bytes.subarray(begin, end))) return line
    ;[line, begin] = [line + 1, end + 1]
  }
  return line
}

const metricIn = (line: string): string => /^(?:#[ \t]+\w+[ \t]+)?([a-zA-Z_:][\w:]*)/.exec(line)?.[1] ?? ""
