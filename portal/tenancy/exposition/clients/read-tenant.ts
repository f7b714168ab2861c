import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"

/**
 * A tenant whose series are read. A Cortex with `-tenant-federation.regex-matcher-enabled` takes the id for a regular
 * expression and reads all tenants that it matches, so that an id must not be one.
 */
export function parseReadTenant(text: string): TenantId | Wrong {
  const tenant = parseTenant(text)
  if (tenant instanceof Wrong || !/[*()]/.test(tenant)) return tenant
  return new Wrong("must not have *, ( or ): Cortex can take it for a regular expression, and read other tenants too")
}

/** The same of a token that names its tenant: a dot, too, stands for any character, unless the id is one of `listed`. */
export function parseClaimedTenant(text: string, listed: readonly TenantId[]): TenantId | Wrong {
  const tenant = parseReadTenant(text)
  if (tenant instanceof Wrong) return tenant
  if (listed.length > 0) return listed.includes(tenant) ? tenant : new Wrong("is none of the entry's tenants")
  return tenant.includes(".") ? new Wrong("must have no dot, unless the entry lists it in tenants") : tenant
}
