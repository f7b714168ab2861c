import type { Path } from "#core/config/config-file.ts"
import { didYouMean, meant } from "#core/config/nearest.ts"
import type { Findings } from "./findings.ts"
import type { Fields } from "../fields.ts"
import type { Target } from "./target.ts"

/** Which of them reads what others do not. */
const ORIGIN: Readonly<Record<string, string>> = {
  labels: "Prometheus 3.0 added it",
  limit: "there ruler_max_rule_evaluation_results of the tenant's limits does the same",
  source_tenants: "only Mimir reads it",
  align_evaluation_time_on_interval: "only Mimir reads it",
  evaluation_delay: "only Mimir reads it; query_offset does the same",
}

/** Fields that the target does not read: refused by Prometheus, dropped without a word by rulers. */
export function checkFields(given: Fields, of: "group" | "rule", path: Path, target: Target, findings: Findings): void {
  const known = of === "group" ? target.groupFields : target.ruleFields
  for (const field of Object.keys(given)) {
    if (known.has(field)) continue
    const why =
      of === "group" && Object.hasOwn(ORIGIN, field) ? ` (${ORIGIN[field]})` : didYouMean(meant(field, [...known]))
    const what = `is no field of a ${of} for ${target.dialect.name}${why}`
    if (target.unknownFields === "refused") findings.error("schema", [...path, field], `${what}; remove it`)
    else findings.warn("schema", [...path, field], `${what}, which drops it without a word; remove it`)
  }
}
