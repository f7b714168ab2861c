import { features } from "../families/features.ts"
import { metadata } from "../families/metadata.ts"
import { objectConditions } from "../families/status.ts"
import { info } from "../family.ts"
import { kind } from "../kind.ts"

export const gatewayClass = kind("GatewayClass", "gatewayclasses", [
  info("info", "The controller of the class.", "", { controller_name: "spec.controllerName" }),
  ...metadata,
  ...objectConditions("the GatewayClass"),
  features,
])
