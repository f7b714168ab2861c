import { Wrong } from "#core/config/settings.ts"
import type { OpenMetricsRule } from "./open-metrics-rule.ts"
import { parseTenant } from "./parse-tenant.ts"
import { quote } from "./quote.ts"
import type { TenantId } from "./tenant.ts"

export interface TenantsOfRule {
  /** Those that are valid; undefined where they are no list, and so none is known. */
  readonly tenants: readonly TenantId[] | undefined
  /** What is wrong, in one line; undefined where all is well. */
  readonly problem: string | undefined
}

/** Faults that a problem names. */
const NAMED = 3

/** `spec.tenants` of a resource, each once. */
export function tenantsOfRule({ spec }: OpenMetricsRule): TenantsOfRule {
  // as the original, whose resources may have rules for nobody
  const given: unknown = spec?.tenants ?? []
  if (!Array.isArray(given)) return { tenants: undefined, problem: "spec.tenants must be a list" }
  const faults: string[] = []
  const tenants = given.flatMap((item: unknown, index): readonly TenantId[] => {
    const tenant = typeof item === "string" ? parseTenant(item) : new Wrong("must be text")
    if (!(tenant instanceof Wrong)) return [tenant]
    const shown = typeof item === "string" ? ` (is ${quote(item)})` : ""
    faults.push(`spec.tenants[${index}] ${tenant.reason}${shown}`)
    return []
  })
  const more = faults.length > NAMED ? [`${faults.length - NAMED} more`] : []
  const problem = faults.length === 0 ? undefined : [...faults.slice(0, NAMED), ...more].join("; ")
  return { tenants: [...new Set(tenants)], problem }
}
