import type { TenantId } from "../../tenants/tenant.ts"
import type { Destination, Route, Routing } from "./routing.ts"
import type { AllowedTenants, RoutingConfig } from "./routing-config.ts"
import { tenantOfLabel } from "./tenant-of-label.ts"

/** Labels that name a tenant decide; the default tenants get what no label gives a tenant, or everything. */
export function createRouting(config: RoutingConfig, allowed: AllowedTenants): Routing {
  const { tenantLabels, groupLabels, mostTenants } = config
  const routing = { tenantLabels, groupLabels, mostTenants, route: decision(config, allowed) }
  made.set(routing, () => [config, allowed && [...allowed].toSorted()])
  return routing
}

const made = new WeakMap<Routing, () => unknown>()

/** All that a routing is made of, as plain data: equal ones are of routings that do the same. */
export const configOfRouting = (routing: Routing): unknown => made.get(routing)?.()

function decision(config: RoutingConfig, allowed: AllowedTenants): Routing["route"] {
  const { tenantLabels, labelMode, strip, defaultTenants, fullReplication } = config
  const find = tenantOfLabel(config, allowed)
  const byDefault = defaultTenants.map((tenant): Destination => ({ tenant, strip: undefined }))
  const replicas = byDefault.map((destination): Destination => ({ ...destination, replica: true }))

  return (values) => {
    const named = new Map<TenantId, Destination>()
    let ignored: { readonly reason: string; readonly tenant: string } | undefined
    for (const [index, label] of tenantLabels.entries()) {
      const found = find(label, values[index])
      if (found.kind === "refused") return { refused: found.reason, tenant: found.tenant }
      if (found.kind === "ignored") ignored ??= found
      if (found.kind !== "tenant") continue
      const { tenant } = found
      // series of all tenants, or of none, may be there beside this one
      const kept = !strip || defaultTenants.includes(tenant)
      if (!named.has(tenant)) named.set(tenant, { tenant, strip: kept ? undefined : index })
      if (labelMode === "first") break
    }
    if (named.size === 0 && byDefault.length === 0) return withoutTenant(tenantLabels, ignored)
    const why = ignored === undefined ? {} : { ignored: ignored.reason }
    if (named.size === 0) return { destinations: byDefault, byDefault: true, ...why }
    const others = fullReplication ? replicas.filter(({ tenant }) => !named.has(tenant)) : []
    return { destinations: [...named.values(), ...others], byDefault: false, ...why }
  }
}

function withoutTenant(
  tenantLabels: readonly string[],
  ignored: { readonly reason: string; readonly tenant: string } | undefined,
): Route {
  const reason = ignored?.reason ?? `no label names a tenant (${tenantLabels.join(", ")})`
  return { refused: `${reason}, and there is no default tenant`, tenant: ignored?.tenant ?? "" }
}
