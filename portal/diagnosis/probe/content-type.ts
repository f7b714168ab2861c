import type { CauseId } from "../causes/index.ts"

type ContentType =
  { readonly kind: "metrics"; readonly openMetrics: boolean } | { readonly kind: "other"; readonly cause: CauseId }

/** A media type with parameters that have values, as Prometheus 3 insists on. */
const WELL_FORMED = /^[\w.+-]+\/[\w.+-]+[ \t]*(?:;[ \t]*[\w.-]+=(?:"[^"]*"|[^\s;"]+)[ \t]*)*;?$/

/** Whether a response says that it holds metrics. */
export function contentTypeOf(header: string): ContentType {
  const [media = ""] = header.toLowerCase().split(";", 1)
  const type = media.trim()
  if (type === "text/plain" || type === "application/openmetrics-text")
    return WELL_FORMED.test(header.trim())
      ? { kind: "metrics", openMetrics: type !== "text/plain" }
      : { kind: "other", cause: "no_type" }
  const known = /^(?:text|image|font|video|audio)\/|^application\/(?:json|javascript|xml|xhtml|pdf|.*\+(?:json|xml))/
  return { kind: "other", cause: known.test(type) ? "not_metrics" : "no_type" }
}
