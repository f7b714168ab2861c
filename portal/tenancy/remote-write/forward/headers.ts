import { VERSION } from "#core/metrics/registry.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { UPSTREAM_HEADERS } from "../message/media-type.ts"
import type { Version } from "../message/version.ts"

const OF_VERSION: Readonly<Record<Version, readonly string[]>> = {
  1: Object.entries(UPSTREAM_HEADERS[1]).flat(),
  2: Object.entries(UPSTREAM_HEADERS[2]).flat(),
}

const USER_AGENT = ["user-agent", `fedstack-tenancy-proxy/${VERSION}`]

/** Names and values in turn, as undici takes them. Nothing of the sender's is among them but the number of its attempt. */
export function requestHeaders(
  tenant: TenantId,
  version: Version,
  retryAttempt: number,
  more: readonly string[],
): string[] {
  const headers = [...OF_VERSION[version], ...USER_AGENT, "x-scope-orgid", tenant, ...more]
  if (retryAttempt > 0) headers.push("retry-attempt", String(retryAttempt))
  return headers
}
