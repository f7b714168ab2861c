import type { Dialect, Feature } from "./dialect.ts"
import { SIGNATURES } from "./functions.ts"

type DialectName = "prometheus-2.53" | "prometheus-3.5" | "prometheus-3.14" | "cortex-1.21" | "mimir"

const AGGREGATIONS =
  "avg bottomk count count_values group limit_ratio limitk max min quantile stddev stdvar sum topk".split(" ")

const EXPERIMENTAL_2_53 = ["mad_over_time", "sort_by_label", "sort_by_label_desc"]
const EXPERIMENTAL_3_5 = [
  ...EXPERIMENTAL_2_53,
  ..."double_exponential_smoothing info limit_ratio limitk".split(" "),
  ..."ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time".split(" "),
]
const EXPERIMENTAL_3_8 = [...EXPERIMENTAL_3_5, "first_over_time", "ts_of_first_over_time"]
const EXPERIMENTAL_3_14 = [
  ...EXPERIMENTAL_3_8.filter((name) => name !== "first_over_time"),
  ..."end histogram_quantiles max_of min_of range start start_timestamp step".split(" "),
]
const CORTEX = ["xdelta", "xincrease", "xrate"]
/** Since 3.0 double_exponential_smoothing. */
const RENAMED = "holt_winters"
const STABLE = [...SIGNATURES.keys(), ...AGGREGATIONS].filter(
  (name) => ![...EXPERIMENTAL_3_8, ...EXPERIMENTAL_3_14, ...CORTEX, RENAMED].includes(name),
)

const SINCE_3_5: readonly Feature[] = ["utf8-names", "duration-as-number", "number-separators"]
const SINCE_3_14: readonly Feature[] = [
  ...SINCE_3_5,
  "trim-operators",
  "promql-duration-expr",
  "duration-step",
  "duration-functions",
]

/** Features of which a server has the flag. */
const SWITCHES: Readonly<Record<DialectName, readonly Feature[]>> = {
  "prometheus-2.53": ["promql-experimental-functions"],
  "prometheus-3.5": ["promql-experimental-functions", "promql-duration-expr"],
  "prometheus-3.14": [
    "promql-experimental-functions",
    "promql-binop-fill-modifiers",
    "promql-extended-range-selectors",
  ],
  "cortex-1.21": ["promql-experimental-functions"],
  mimir: ["promql-experimental-functions", "promql-extended-range-selectors"],
}

/** Where it is not `--enable-feature=…`. */
const OTHER_SWITCHES: Readonly<Partial<Record<DialectName, Readonly<Partial<Record<Feature, string>>>>>> = {
  "cortex-1.21": { "promql-experimental-functions": "-querier.enable-promql-experimental-functions" },
  mimir: {
    "promql-experimental-functions": "enabled_promql_experimental_functions of the tenant's limits",
    "promql-extended-range-selectors": "enabled_promql_extended_range_selectors of the tenant's limits",
  },
}

const DIALECTS: Readonly<
  Record<
    DialectName,
    Pick<Dialect, "name"> &
      Record<"functions" | "experimental", readonly string[]> & { readonly features: readonly Feature[] }
  >
> = {
  "prometheus-2.53": {
    name: "Prometheus 2.53",
    functions: [...STABLE, RENAMED],
    experimental: EXPERIMENTAL_2_53,
    features: [],
  },
  "prometheus-3.5": {
    name: "Prometheus 3.5",
    functions: STABLE,
    experimental: EXPERIMENTAL_3_5,
    features: SINCE_3_5,
  },
  "prometheus-3.14": {
    name: "Prometheus 3.14",
    functions: [...STABLE, "first_over_time"],
    experimental: EXPERIMENTAL_3_14,
    features: SINCE_3_14,
  },
  // with the parser of Prometheus 3.8
  "cortex-1.21": {
    name: "Cortex 1.21",
    functions: [...STABLE, ...CORTEX, RENAMED],
    experimental: EXPERIMENTAL_3_8,
    features: [...SINCE_3_5, "duration-step"],
  },
  // follows the main branch of Prometheus closely
  mimir: {
    name: "Mimir",
    functions: [...STABLE, "first_over_time", RENAMED],
    experimental: EXPERIMENTAL_3_14,
    features: SINCE_3_14,
  },
}

/** `switchedOn`: feature flags that are set, by Prometheus' names. A server without such a flag ignores it. */
export function dialectOf(name: DialectName, switchedOn: readonly Feature[] = []): Dialect {
  const { name: title, functions, experimental, features } = DIALECTS[name]
  const all = new Set([...features, ...switchedOn.filter((feature) => SWITCHES[name].includes(feature))])
  const on = all.has("promql-experimental-functions")
  const words = OTHER_SWITCHES[name] ?? {}
  return {
    name: title,
    functions: new Set(on ? [...functions, ...experimental] : functions),
    experimentalFunctions: new Set(on ? [] : experimental),
    features: all,
    judgesLater: name === "mimir",
    switches: new Map(SWITCHES[name].map((feature) => [feature, words[feature] ?? `--enable-feature=${feature}`])),
  }
}

/** For reading what any server may accept: all features, and functions of every name. */
export const ANY_DIALECT: Dialect = {
  name: "any",
  functions: new (class extends Set<string> {
    override has(): boolean {
      return true
    }
  })(),
  experimentalFunctions: new Set(),
  features: new Set([...SINCE_3_14, ...Object.values(SWITCHES).flat()]),
  judgesLater: false,
  switches: new Map(),
}
