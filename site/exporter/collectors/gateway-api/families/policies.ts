import { type Family, info, labelsOf } from "../family.ts"
import { elements, field } from "../fields.ts"
import { kuadrantMetadata, metadata } from "./metadata.ts"
import { entryConditions } from "./parents.ts"
import { objectConditions } from "./status.ts"

const TARGET = {
  target_group: "group",
  target_kind: "kind",
  target_name: "name",
  target_namespace: "namespace",
}

const HELP = "Objects that the policy targets."

/** Of policies with one target. */
const target: Family = info("target_info", HELP, "spec.targetRef", TARGET)

const [one, many] = [field("spec.targetRef"), field("spec.targetRefs")]
const labels = labelsOf({ ...TARGET, target_section_name: "sectionName" })

/** Of policies with a list of targets, each of which may be a section; older versions have one target. */
const targets: Family = {
  suffix: "target_info",
  help: HELP,
  samples(object, emit) {
    for (const each of [...elements(many(object)), one(object)]) {
      const own = labels(each)
      if (own !== "") emit(own, 1)
    }
  },
}

/** Of Gateway API's policies: every controller reports by ancestor, mostly by Gateway. */
export const policy: readonly Family[] = [
  ...metadata,
  targets,
  ...entryConditions("ancestor", ["status.ancestors"], "the policy by ancestor"),
]

/** Of Kuadrant's policies: one controller, which reports on the policy as a whole. */
export const kuadrantPolicy: readonly Family[] = [
  ...kuadrantMetadata,
  target,
  ...objectConditions("the policy", "object"),
]
