/** Label names and values, in the order in which they are written. */
export type Labels = Readonly<Record<string, string>>

export interface Sample {
  /** Of the sample's name, as histograms have them: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
  readonly labels: Labels
  readonly value: number
}

/** One metric family of text format 0.0.4. The names of samples are the family's own, with their suffix. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: "gauge" | "counter" | "histogram" | "untyped"
  readonly samples: readonly Sample[]
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/**
 * Text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Families without samples are left out.
 * Samples that share one labels object, as those of parallel families do, have it encoded once.
 */
export function encode(families: Iterable<Family>): string {
  return [...encodePieces(families)].join("")
}

const PIECE_LENGTH = 65_536

/** The same in pieces of about 64 KiB, each of whole lines: a large exposition need not be one string, nor hold others up. */
export function* encodePieces(families: Iterable<Family>): Generator<string> {
  const encoded = new Map<Labels, string>()
  const labelsText = (labels: Labels): string => {
    const known = encoded.get(labels)
    if (known !== undefined) return known
    const fresh = encodeLabels(labels)
    encoded.set(labels, fresh)
    return fresh
  }
  let text = ""
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
    for (const { suffix = "", labels, value } of samples) {
      text += `${name}${suffix}${labelsText(labels)} ${encodeValue(value)}\n`
      if (text.length < PIECE_LENGTH) continue
      yield text
      text = ""
    }
  }
  yield text
}

function encodeLabels(labels: Labels): string {
  const pairs: string[] = []
  for (const name in labels) pairs.push(`${name}="${escapeValue(labels[name] ?? "")}"`)
  return pairs.length === 0 ? "" : `{${pairs.join()}}` // joined: a text that is added up keeps all its steps in memory
}

function encodeValue(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : value
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
}
