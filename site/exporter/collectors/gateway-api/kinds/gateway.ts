import { listeners } from "../families/listeners.ts"
import { metadata } from "../families/metadata.ts"
import { listenerConditions, objectConditions } from "../families/status.ts"
import { info } from "../family.ts"
import { kind } from "../kind.ts"

export const gateway = kind("Gateway", "gateways", [
  info("info", "The class of the Gateway.", "", { gatewayclass_name: "spec.gatewayClassName" }),
  ...metadata,
  ...listeners,
  ...objectConditions("the Gateway"),
  ...listenerConditions,
  info("status_address_info", "Addresses that are bound to the Gateway.", "status.addresses", {
    type: "type",
    value: "value",
  }),
])
