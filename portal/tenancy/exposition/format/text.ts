import type { StoredSeries } from "../store/series.ts"
import { boundOf, type Format, isFloat, labelOf, readAll, type ReadSeries } from "./format.ts"
import { createSeriesText, familyText, valueText } from "./lines.ts"
import { type FamilyOfNames, isCreated } from "./metadata.ts"
import { metricsOf } from "./points.ts"
import type { Escaping } from "./names.ts"

/**
 * Text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), or 1.0.0 with any names. Native histograms
 * have no place in it. What does not look like its type is untyped: readers drop what they do not expect.
 */
export function textFormat(timestamps: boolean, escaping: Escaping): Format {
  const version = escaping === "allow-utf-8" ? "1.0.0; charset=utf-8; escaping=allow-utf-8" : "0.0.4; charset=utf-8"
  const seriesText = createSeriesText()
  function* block(head: string, all: Iterable<StoredSeries>): Generator<string> {
    let before = head
    for (const series of all) {
      const time = timestamps ? ` ${series.timestamp}` : ""
      yield `${before}${seriesText(series)} ${valueText(series.sample as number)}${time}\n`
      before = ""
    }
  }
  return {
    contentType: `text/plain; version=${version}`,
    holds: isFloat,
    *family(family, read) {
      const { metadata, names } = family
      if (metadata?.type === "histogram" || metadata?.type === "summary") {
        const parts = names.filter((name) => name !== `${family.family}_created`)
        const bounds = partOf(family, metadata.type)
        const [part, bound] = bounds
        if (!family.clashes && isTyped(family, bounds, parts, read)) {
          const inOrder: ReadSeries = (name) =>
            name === part ? metricsOf(name, [...read(name)], [bound, ""]).flat() : read(name)
          yield* block(headOf(family.family, metadata.type, metadata.help), readAll(parts, inOrder))
          if (parts.length < names.length) yield* created(`${family.family}_created`, read)
          return
        }
      }
      for (const name of names) yield* block(headOfName(family, name), read(name))
    },
    end: "",
  }

  function* created(name: string, read: ReadSeries): Generator<string> {
    yield* block(headOf(name, "gauge", ""), read(name))
  }
}

function headOf(name: string, type: string, help: string): string {
  const shown = familyText(name)
  return `${help === "" ? "" : `# HELP ${shown} ${escapeHelp(help)}\n`}# TYPE ${shown} ${type}\n`
}

/** Of a name that stands by itself. */
function headOfName({ family, metadata }: FamilyOfNames, name: string): string {
  const help = metadata?.help ?? ""
  const type = metadata?.type
  // a counter or info of OpenMetrics has its suffix in the name of the family here
  if (type === "counter") return isCreated(name, family) ? headOf(name, "gauge", "") : headOf(name, "counter", help)
  if (type === "gauge" || type === "info" || type === "stateset") return headOf(name, "gauge", help)
  return headOf(name, "untyped", name === family ? help : "")
}

/** The name of the series that have bounds, and the label of these. */
function partOf({ family }: FamilyOfNames, type: "histogram" | "summary"): readonly [part: string, bound: string] {
  return type === "histogram" ? [`${family}_bucket`, "le"] : [family, "quantile"]
}

/** Whether each series is a part of a histogram or summary, as far as a reader looks at it. */
function isTyped(
  { family }: FamilyOfNames,
  [part, bound]: readonly [part: string, bound: string],
  names: readonly string[],
  read: ReadSeries,
): boolean {
  for (const series of readAll(names, read)) {
    if (series.name === part ? Number.isNaN(boundOf(labelOf(series, bound))) : series.name === family) return false
    if (series.name !== part && labelOf(series, bound) !== undefined) return false
  }
  return true
}

const escapeHelp = (help: string): string => help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
