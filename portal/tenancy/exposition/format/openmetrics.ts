import type { StoredSeries } from "../store/series.ts"
import { type Format, isFloat, readAll } from "./format.ts"
import { createSeriesText, escapeText, familyText, valueText } from "./lines.ts"
import { type FamilyMetadata, takenBy } from "./metadata.ts"
import type { Escaping } from "./names.ts"
import { asOneMetricEach } from "./points.ts"

/**
 * OpenMetrics (https://prometheus.io/docs/specs/om/open_metrics_spec/), which is strict: a family that is not whole as one of
 * its type, such as a histogram of which only the buckets are shared, or whose name is another's, is written as unknown, name
 * by name.
 */
export function openMetricsFormat(version: "1.0.0" | "0.0.1", timestamps: boolean, escaping: Escaping): Format {
  const scheme = escaping === "allow-utf-8" ? "; escaping=allow-utf-8" : ""
  const seriesText = createSeriesText()
  /** Of families and samples. */
  const taken = new Set<string>()

  function* block(head: string, all: Iterable<StoredSeries>): Generator<string> {
    let before = head
    for (const series of all) {
      const time = timestamps ? ` ${series.timestamp / 1000}` : ""
      yield `${before}${seriesText(series)} ${valueText(series.sample as number)}${time}\n`
      before = ""
    }
  }
  function* unknown(name: string, help: string, all: Iterable<StoredSeries>): Generator<string> {
    taken.add(name)
    yield* block(headOf(name, { type: "unknown", unit: "", help }), all)
  }

  return {
    contentType: `application/openmetrics-text; version=${version}; charset=utf-8${scheme}`,
    holds: isFloat,
    *family(family, read) {
      const { metadata, names } = family
      if (metadata?.type === "gauge") {
        // each series is one of its type by itself
        taken.add(family.family)
        yield* block(headOf(family.family, metadata), readAll(names, read))
        return
      }
      if (metadata !== undefined && metadata.type !== "unknown" && !family.clashes) {
        const whole = asOneMetricEach(family, metadata.type, [...readAll(names, read)], timestamps)
        const own = takenBy({ ...family, names: [family.family] })
        if (whole !== undefined && !own.some((name) => taken.has(name))) {
          if (whole.series.length > 0) for (const name of own) taken.add(name)
          yield* block(headOf(whole.name, metadata), whole.series)
          return
        }
      }
      for (const name of names) {
        yield* unknown(name, name === family.family ? (metadata?.help ?? "") : "", read(name))
      }
    },
    end: "# EOF\n",
  }
}

function headOf(name: string, { type, help, unit }: FamilyMetadata): string {
  const shown = familyText(name)
  const hasUnit = unit !== "" && name.endsWith(`_${unit}`) && type !== "info" && type !== "stateset"
  return [
    `# TYPE ${shown} ${type}\n`,
    hasUnit ? `# UNIT ${shown} ${unit}\n` : "",
    help === "" ? "" : `# HELP ${shown} ${escapeText(help)}\n`,
  ].join("")
}
