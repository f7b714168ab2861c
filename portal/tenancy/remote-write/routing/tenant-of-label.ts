import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import { quote } from "../../tenants/quote.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { AllowedTenants, RoutingConfig } from "./routing-config.ts"
import { type Capture, compilePattern, LONGEST_MATCHED } from "./tenant-pattern.ts"

/** What a label gives by its value. */
export type Found =
  | { readonly kind: "tenant"; readonly tenant: TenantId }
  | { readonly kind: "none" }
  | { readonly kind: "ignored" | "refused"; readonly reason: string; readonly tenant: string }

const NONE: Found = { kind: "none" }

export type TenantOfLabel = (label: string, value: string | undefined) => Found

export function tenantOfLabel(
  { pattern, prefix, defaultTenants, unknownTenants }: RoutingConfig,
  allowed: AllowedTenants,
): TenantOfLabel {
  const capture: Capture | undefined = pattern === undefined ? undefined : compilePattern(pattern)
  // what the allow list does not name, valid or not, has one rule
  const unknown = allowed !== undefined && unknownTenants === "ignore" ? "ignored" : "refused"
  const isAllowed = (tenant: TenantId): boolean =>
    allowed === undefined || allowed.has(tenant) || defaultTenants.includes(tenant)

  return (label, value = "") => {
    if (value === "") return NONE
    if (capture !== undefined && value.length > LONGEST_MATCHED) {
      const reason = `the label ${label} must have at most ${LONGEST_MATCHED} characters for its tenant to be found (has ${value.length})`
      return { kind: unknown, reason, tenant: quote(value) }
    }
    const found = capture === undefined ? value : capture(value)
    if (found === undefined) return NONE
    const text = prefix + found
    const tenant = parseTenant(text)
    if (tenant instanceof Wrong) {
      const shown = quote(text)
      return { kind: unknown, reason: `the tenant ${shown} in the label ${label} ${tenant.reason}`, tenant: shown }
    }
    if (isAllowed(tenant)) return { kind: "tenant", tenant }
    return {
      kind: unknown,
      reason: `the tenant ${quote(tenant)} in the label ${label} is not in the allow list`,
      tenant,
    }
  }
}
