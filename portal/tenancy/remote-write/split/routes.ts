import type { Route, Routing } from "../routing/routing.ts"

/** Routes that are kept with a routing: a sender can make up any number of values. */
const MOST_ROUTES = 10_000
const MOST_KEY = 500

const kept = new WeakMap<Routing, Map<string, Route>>()

/** `routing.route(values)`, which may run a regular expression, once for the same values in all requests. */
export function routeOf(routing: Routing, values: readonly (string | undefined)[]): Route {
  const key = JSON.stringify(values)
  if (key.length > MOST_KEY) return routing.route(values)
  const routes = kept.get(routing) ?? new Map<string, Route>()
  kept.set(routing, routes)
  const known = routes.get(key)
  if (known !== undefined) return known
  const route = routing.route(values)
  if (routes.size >= MOST_ROUTES) routes.clear()
  routes.set(key, route)
  return route
}
