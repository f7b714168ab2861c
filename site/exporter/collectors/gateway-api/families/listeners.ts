import { count, type Family, info } from "../family.ts"

/** Listeners as Gateways and ListenerSets have them. */
export const listeners: readonly Family[] = [
  info("listener_info", "Listeners and what they are for.", "spec.listeners", {
    listener_name: "name",
    port: "port",
    protocol: "protocol",
    hostname: "hostname",
    tls_mode: "tls.mode",
    allowed_routes_namespaces_from: "allowedRoutes.namespaces.from",
  }),
  count(
    "status_listener_attached_routes",
    "How many routes are attached to a listener.",
    "status.listeners",
    { listener_name: "name" },
    "attachedRoutes",
  ),
]
