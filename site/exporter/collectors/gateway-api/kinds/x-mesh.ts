import { features } from "../families/features.ts"
import { metadata } from "../families/metadata.ts"
import { objectConditions } from "../families/status.ts"
import { info } from "../family.ts"
import { GATEWAY_API_EXPERIMENTAL, kind } from "../kind.ts"

export const xMesh = kind(
  "XMesh",
  "xmeshes",
  [
    info("info", "The controller of the mesh.", "", { controller_name: "spec.controllerName" }),
    ...metadata,
    ...objectConditions("the mesh"),
    features,
  ],
  [GATEWAY_API_EXPERIMENTAL],
)
