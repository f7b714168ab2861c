import type { ValueType } from "./expression.ts"

export interface Signature {
  /** Of the arguments; further ones have the type of the last. */
  readonly arguments: readonly ValueType[]
  readonly least: number
  readonly most: number
  readonly returns: ValueType
}

/** Arguments, `?` where the last may be left out, `*` where it may be left out or repeated; what is returned; names. */
const TABLE: readonly (readonly [string, ValueType, string])[] = [
  [
    "vector",
    "vector",
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count " +
      "histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt " +
      "start_timestamp tan tanh timestamp",
  ],
  [
    "matrix",
    "vector",
    "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate " +
      "last_over_time mad_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time " +
      "stdvar_over_time sum_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time " +
      "ts_of_min_over_time xdelta xincrease xrate",
  ],
  ["vector?", "vector", "day_of_month day_of_week day_of_year days_in_month hour minute month year"],
  ["", "scalar", "end pi range start step time"],
  ["vector scalar", "vector", "clamp_max clamp_min"],
  ["vector scalar?", "vector", "round"],
  ["vector scalar scalar", "vector", "clamp"],
  ["matrix scalar", "vector", "predict_linear"],
  ["matrix scalar scalar", "vector", "double_exponential_smoothing holt_winters"],
  ["scalar matrix", "vector", "quantile_over_time"],
  ["scalar scalar", "scalar", "max_of min_of"],
  ["scalar vector", "vector", "histogram_quantile"],
  ["scalar scalar vector", "vector", "histogram_fraction"],
  ["vector vector?", "vector", "info"],
  ["vector string*", "vector", "sort_by_label sort_by_label_desc"],
  ["vector string string string*", "vector", "label_join"],
  ["vector string string string string", "vector", "label_replace"],
  ["vector", "scalar", "scalar"],
  ["scalar", "vector", "vector"],
]

/** Of every function that some server knows; their names are not enough to be valid (Dialect). */
export const SIGNATURES: ReadonlyMap<string, Signature> = new Map([
  ...TABLE.flatMap(([types, returns, names]) =>
    names.split(" ").map((name) => [name, signature(types, returns)] as const),
  ),
  // up to ten quantiles
  ["histogram_quantiles", { ...signature("vector string scalar*", "vector"), least: 3, most: 12 }],
])

function signature(text: string, returns: ValueType): Signature {
  const named = text.replace(/[?*]$/, "").split(" ") as readonly ValueType[]
  const count = text === "" ? 0 : named.length
  const least = /[?*]$/.test(text) ? count - 1 : count
  return { arguments: named.slice(0, count), least, most: text.endsWith("*") ? Infinity : count, returns }
}
