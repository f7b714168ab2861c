import { metadata } from "../families/metadata.ts"
import { objectConditions } from "../families/status.ts"
import { type Family, info, labelsOf } from "../family.ts"
import { elements, field, scalar } from "../fields.ts"
import { kind } from "../kind.ts"

const supportedFeatures = field("status.supportedFeatures")
const named = labelsOf({ features: "name" })
const plain = labelsOf({ features: "" })

/** Texts in early CRDs, objects with a name in later ones. */
const features: Family = {
  suffix: "status_supported_features",
  help: "Features that implementations of the class support.",
  samples(object, emit) {
    for (const feature of elements(supportedFeatures(object))) {
      const labels = scalar(feature) === undefined ? named(feature) : plain(feature)
      if (labels !== "") emit(labels, 1)
    }
  },
}

export const gatewayClass = kind("GatewayClass", "gatewayclasses", [
  info("info", "The controller of the class.", "", { controller_name: "spec.controllerName" }),
  ...metadata,
  ...objectConditions("the GatewayClass"),
  features,
])
