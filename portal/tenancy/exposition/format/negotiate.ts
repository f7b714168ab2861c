import type { Format } from "./format.ts"
import type { Escaping } from "./names.ts"
import { openMetricsFormat } from "./openmetrics.ts"
import { protobufFormat } from "./protobuf.ts"
import { textFormat } from "./text.ts"
import { withUnderscores } from "./underscores.ts"

/** Of each of them one text, so that clients that want the same share a response. */
export interface WantedFormat {
  readonly kind: "text" | "openmetrics-1.0.0" | "openmetrics-0.0.1" | "protobuf"
  readonly escaping: Escaping
}

const TEXT: WantedFormat = { kind: "text", escaping: "underscores" }

/** What an Accept header, as `core/federation/accept.ts` normalises it, wants most of what there is; text by default. */
export function wantedFormat(accept: string | undefined): WantedFormat {
  let best = TEXT
  let weight = 0
  for (const range of accept?.split(",") ?? []) {
    const [type = "", ...parameters] = range.split(";")
    const given = new Map(parameters.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]))
    const own = Number(given.get("q") ?? 1)
    const kind = kindOf(type, given.get("version"))
    if (kind === undefined || own <= weight) continue
    weight = own
    best = { kind, escaping: given.get("escaping") === "allow-utf-8" ? "allow-utf-8" : "underscores" }
  }
  return best
}

function kindOf(type: string, version: string | undefined): WantedFormat["kind"] | undefined {
  switch (type) {
    case "application/openmetrics-text":
      if (version === "0.0.1") return "openmetrics-0.0.1"
      return version === undefined || version === "1.0.0" ? "openmetrics-1.0.0" : undefined
    case "application/vnd.google.protobuf":
      return "protobuf"
    case "text/plain":
      return version === undefined || version === "0.0.4" || version === "1.0.0" ? "text" : undefined
    case "application/*":
      return "openmetrics-1.0.0"
    case "text/*":
    case "*/*":
      return "text"
    default:
      return undefined
  }
}

export function openFormat(wanted: WantedFormat, timestamps: boolean): Format {
  const format = formatOf(wanted, timestamps)
  return wanted.escaping === "underscores" ? withUnderscores(format) : format
}

function formatOf({ kind, escaping }: WantedFormat, timestamps: boolean): Format {
  if (kind === "protobuf") return protobufFormat(timestamps, escaping)
  if (kind === "text") return textFormat(timestamps, escaping)
  return openMetricsFormat(kind === "openmetrics-1.0.0" ? "1.0.0" : "0.0.1", timestamps, escaping)
}
