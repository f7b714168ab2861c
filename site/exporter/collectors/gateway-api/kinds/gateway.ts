import { listeners } from "../families/listeners.ts"
import { metadata } from "../families/metadata.ts"
import { listenerConditions, objectConditions } from "../families/status.ts"
import { info, numberOf, single } from "../family.ts"
import { field } from "../fields.ts"
import { kind } from "../kind.ts"

const attachedListenerSets = field("status.attachedListenerSets")

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
  single("status_attached_listener_sets", "How many ListenerSets are attached to the Gateway.", (object) =>
    numberOf(attachedListenerSets(object)),
  ),
])
