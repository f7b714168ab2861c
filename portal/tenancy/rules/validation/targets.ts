import type { Feature } from "#core/promql/expressions/dialect.ts"
import { dialectOf } from "#core/promql/expressions/dialects.ts"
import { prometheusFunctions } from "../templates/functions.ts"
import type { Target, TargetName } from "./target.ts"

/** Of every target: query_offset came with Prometheus 2.53. */
const GROUP_FIELDS = ["name", "interval", "query_offset", "limit", "rules"]
const OF_PROMETHEUS_3 = [...GROUP_FIELDS, "labels"]
/** Without `limit`; `labels` since Mimir 3.0. */
const OF_MIMIR = [
  ...["name", "interval", "query_offset", "labels", "rules"],
  ...["source_tenants", "align_evaluation_time_on_interval", "evaluation_delay"],
]
const RULE_FIELDS = new Set(["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"])

type Properties = Pick<Target, "nameScheme" | "unknownFields"> & {
  readonly groupFields: readonly string[]
  /** Of this minor version of Prometheus 3 are the functions of templates; -1: of version 2. */
  readonly templatesOf: number
}

const TARGETS: Readonly<Record<TargetName, Properties>> = {
  "prometheus-2.53": {
    nameScheme: "legacy",
    unknownFields: "refused",
    groupFields: GROUP_FIELDS,
    templatesOf: -1,
  },
  "prometheus-3.5": {
    nameScheme: "utf8",
    unknownFields: "refused",
    groupFields: OF_PROMETHEUS_3,
    templatesOf: 5,
  },
  "prometheus-3.14": {
    nameScheme: "utf8",
    unknownFields: "refused",
    groupFields: OF_PROMETHEUS_3,
    templatesOf: 14,
  },
  // its parts are Prometheus 3.8's
  "cortex-1.21": {
    nameScheme: "legacy",
    unknownFields: "dropped",
    groupFields: OF_PROMETHEUS_3,
    templatesOf: 8,
  },
  mimir: {
    nameScheme: "legacy",
    unknownFields: "dropped",
    groupFields: OF_MIMIR,
    templatesOf: 8,
  },
}

/** `features` are what its flags turn on; `utf8-names` are names of any characters at a ruler. */
export function targetOf(name: TargetName, features: readonly Feature[] = []): Target {
  const { groupFields, templatesOf, nameScheme, unknownFields } = TARGETS[name]
  const isRuler = unknownFields === "dropped"
  return {
    name,
    dialect: dialectOf(name, features),
    nameScheme: isRuler && features.includes("utf8-names") ? "utf8" : nameScheme,
    groupFields: new Set(groupFields),
    ruleFields: RULE_FIELDS,
    unknownFields,
    templateFunctions: prometheusFunctions(templatesOf),
    acceptsEmptyGroups: !isRuler,
    // those of a ruler are written without them; Prometheus reads files as they are
    emptyDurations: isRuler ? "dropped" : "refused",
    nullNames: templatesOf === -1 ? "text" : "nothing",
    zeroOffsets: name === "mimir" ? "dropped" : "kept",
  }
}
