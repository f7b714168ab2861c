import { type Family, labelsOf } from "../family.ts"
import { elements, field, scalar } from "../fields.ts"

const supportedFeatures = field("status.supportedFeatures")
const named = labelsOf({ features: "name" })
const plain = labelsOf({ features: "" })

/** Texts in early CRDs, objects with a name in later ones. */
export const features: Family = {
  suffix: "status_supported_features",
  help: "Features that the controller says it supports.",
  samples(object, emit) {
    for (const feature of elements(supportedFeatures(object))) {
      const labels = scalar(feature) === undefined ? named(feature) : plain(feature)
      if (labels !== "") emit(labels, 1)
    }
  },
}
