import { quote } from "../../tenants/quote.ts"
import type { Route, Routing } from "../routing/routing.ts"
import type { Sender } from "./sender.ts"

const known = new WeakMap<Routing, WeakMap<Sender, Routing>>()

/**
 * Where what a sender writes goes: its one tenant, whatever its labels are, or what the labels name of the tenants that it
 * may write for. The same for the same two, so that what is kept by a routing is kept.
 */
export function routingFor(routing: Routing, sender: Sender): Routing {
  if (sender.tenant === undefined && sender.tenants === undefined) return routing
  const bySender = known.get(routing) ?? new WeakMap<Sender, Routing>()
  known.set(routing, bySender)
  const made = bySender.get(sender) ?? restrict(routing, sender)
  bySender.set(sender, made)
  return made
}

function restrict(routing: Routing, { name, tenant, tenants }: Sender): Routing {
  if (tenant !== undefined) {
    const route: Route = { destinations: [{ tenant, strip: undefined }], byDefault: false }
    return { ...routing, tenantLabels: [], route: () => route }
  }
  if (tenants === undefined) return routing
  return {
    ...routing,
    route(values) {
      const route = routing.route(values)
      if ("refused" in route) return route
      // full replication is the operator's choice; what has no tenant's label is another's to write, and could replace it there
      const foreign = route.destinations.find((one) => one.replica !== true && !tenants.has(one.tenant))?.tenant
      if (foreign === undefined) return route
      const unnamed = `${route.ignored ?? `no label names an accepted tenant (${routing.tenantLabels.join(", ")})`}, and `
      const what = route.byDefault ? "the default tenant" : "the tenant"
      const refused = `${route.byDefault ? unnamed : ""}${name} may not write for ${what} ${quote(foreign)}`
      // never a part of it: the sender would not learn that the rest is missing
      return { refused, tenant: foreign }
    },
  }
}
