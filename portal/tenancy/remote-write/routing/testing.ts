import { readSettings } from "#core/config/read-settings.ts"
import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { createRouting } from "./create-routing.ts"
import { readRoutingConfig } from "./read-routing-config.ts"
import type { Route, Routing } from "./routing.ts"
import type { RoutingConfig } from "./routing-config.ts"
import { routingSettings, type RoutingValues } from "./settings.ts"

export function tenant(text: string): TenantId {
  const id = parseTenant(text)
  if (id instanceof Wrong) throw new Error(`${text} ${id.reason}`)
  return id
}

export const tenants = (...texts: readonly string[]): ReadonlySet<TenantId> => new Set(texts.map(tenant))

export function valuesOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}): RoutingValues {
  const usage = { command: "fedstack tenancy-proxy", summary: "", settings: routingSettings }
  const reading = readSettings(usage, argv, env)
  if (reading.kind !== "values") throw new Error("help was requested")
  return reading.values
}

export const configOf = (argv: readonly string[], env?: Readonly<Record<string, string>>): RoutingConfig =>
  readRoutingConfig(valuesOf(argv, env))

/** The routing of a command line; without `allowed` every valid tenant is accepted. */
export const routingOf = (argv: readonly string[], allowed?: ReadonlySet<TenantId>): Routing =>
  createRouting(configOf(argv), allowed)

/** In short: `red-tenant_id 0 by default`, where the minus is the label that is left out. */
export function show(route: Route, { tenantLabels }: Routing): string {
  if ("refused" in route) return `${route.tenant}: ${route.refused}`
  const destinations = route.destinations.map(({ tenant: to, strip }) =>
    strip === undefined ? to : `${to}-${tenantLabels[strip]}`,
  )
  return [...destinations, ...(route.byDefault ? ["by default"] : [])].join(" ")
}
