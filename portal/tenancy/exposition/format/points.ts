import type { StoredSeries } from "../store/series.ts"
import { boundOf, labelOf } from "./format.ts"
import { type FamilyOfNames, type MetricType, openMetricsName } from "./metadata.ts"

/** A family as OpenMetrics has it: its name, and its series metric by metric. */
export interface WholeFamily {
  readonly name: string
  readonly series: readonly StoredSeries[]
}

/** What the samples of one metric must be. */
interface MetricRules {
  /** The label by which samples of the same name differ, and the suffix of these. */
  readonly part?: readonly [label: string, suffix: string]
  /** Suffixes of samples that a metric has once at most. */
  readonly single: readonly string[]
  /** The samples by their suffix, those of the part by their bounds. */
  isWhole(samples: ReadonlyMap<string, readonly Point[]>): boolean
}

interface Point {
  readonly bound: number
  readonly value: number
}

type Points = ReadonlyMap<string, readonly Point[]>

const valueOf = (points: Points, suffix: string): number | undefined => points.get(suffix)?.[0]?.value
const has = (points: Points, suffix: string): boolean => points.has(suffix)
const isSum = (points: Points): boolean => (valueOf(points, "_sum") ?? 0) >= 0
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0

function isHistogram(points: Points, count: string, sum: string): boolean {
  const buckets = points.get("_bucket") ?? []
  const last = buckets.at(-1)
  if (last?.bound !== Infinity) return false
  let before: Point = { bound: -Infinity, value: 0 }
  for (const [index, bucket] of buckets.entries()) {
    if (!isCount(bucket.value) || bucket.value < before.value) return false
    if (Number.isNaN(bucket.bound) || (index > 0 && bucket.bound <= before.bound)) return false
    before = bucket
  }
  if (has(points, count) !== has(points, sum)) return false
  return (valueOf(points, count) ?? last.value) === last.value && !Number.isNaN(valueOf(points, sum) ?? 0)
}

const RULES: Partial<Readonly<Record<MetricType, MetricRules>>> = {
  counter: {
    single: ["_total", "_created"],
    isWhole: (points) => (valueOf(points, "_total") ?? Number.NaN) >= 0,
  },
  info: { single: ["_info"], isWhole: (points) => valueOf(points, "_info") === 1 },
  histogram: {
    part: ["le", "_bucket"],
    single: ["_count", "_sum", "_created"],
    isWhole(points) {
      const negative = (points.get("_bucket")?.[0]?.bound ?? 0) < 0
      // observations that can be negative make no counter of their sum
      return isHistogram(points, "_count", "_sum") && (!negative || !has(points, "_sum")) && isSum(points)
    },
  },
  gaugehistogram: {
    part: ["le", "_bucket"],
    single: ["_gcount", "_gsum"],
    isWhole(points) {
      const negative = (points.get("_bucket")?.[0]?.bound ?? 0) < 0
      return isHistogram(points, "_gcount", "_gsum") && (negative || (valueOf(points, "_gsum") ?? 0) >= 0)
    },
  },
  summary: {
    part: ["quantile", ""],
    single: ["_count", "_sum", "_created"],
    isWhole: (points) =>
      (points.get("") ?? []).every(({ bound, value }) => bound >= 0 && bound <= 1 && !(value < 0)) &&
      isCount(valueOf(points, "_count") ?? 0) &&
      isSum(points),
  },
}

/**
 * The family in the order of OpenMetrics, where all its metrics are what their type is: undefined where one is not. `sameTime`:
 * the samples of a metric must be of one time.
 */
export function asOneMetricEach(
  { family }: FamilyOfNames,
  type: MetricType,
  all: readonly StoredSeries[],
  sameTime: boolean,
): WholeFamily | undefined {
  if (type === "stateset") return stateset(family, all)
  const rules = RULES[type]
  if (rules === undefined) return undefined
  const name = openMetricsName(family, type)
  const series: StoredSeries[] = []
  for (const metric of metricsOf(name, all, rules.part)) {
    const points = pointsOf(name, metric, rules)
    if (points === undefined || !rules.isWhole(points)) return undefined
    if (sameTime && metric.some(({ timestamp }) => timestamp !== metric[0]?.timestamp)) return undefined
    series.push(...metric)
  }
  return { name, series }
}

/** Each has a label that is called as the family, and one of two values. */
function stateset(family: string, all: readonly StoredSeries[]): WholeFamily | undefined {
  const fits = all.every(
    (series) => labelOf(series, family) !== undefined && (series.sample === 0 || series.sample === 1),
  )
  return fits ? { name: family, series: metricsOf(family, all, [family, ""]).flat() } : undefined
}

/** Metric by metric, the samples of the part in the order of their bounds. */
export function metricsOf(
  name: string,
  all: readonly StoredSeries[],
  part: MetricRules["part"],
): readonly StoredSeries[][] {
  const [label, suffix] = part ?? []
  const metrics = Map.groupBy(all, (series) => {
    const isPart = series.name === `${name}${suffix}`
    return JSON.stringify(isPart ? series.labels.filter(([own]) => own !== label) : series.labels)
  })
  if (label === undefined) return [...metrics.values()]
  return [...metrics.values()].map((metric) => metric.toSorted((a, b) => placeOf(a, label) - placeOf(b, label)))
}

/** Finite, to be compared: those without a bound at the end. */
function placeOf(series: StoredSeries, label: string): number {
  const bound = boundOf(labelOf(series, label))
  return Number.isNaN(bound) ? Number.MAX_VALUE : Math.max(-1e308, Math.min(bound, 1e308))
}

/** Undefined where there is one that the type does not have, or two of what is there once. */
function pointsOf(name: string, metric: readonly StoredSeries[], { part, single }: MetricRules): Points | undefined {
  const points = new Map<string, Point[]>()
  for (const series of metric) {
    const suffix = series.name.startsWith(name) ? series.name.slice(name.length) : undefined
    const isPart = suffix !== undefined && suffix === part?.[1]
    if (suffix === undefined || (!isPart && !single.includes(suffix))) return undefined
    const point = { bound: isPart ? boundOf(labelOf(series, part?.[0] ?? "")) : 0, value: series.sample as number }
    const known = points.get(suffix)
    if (known === undefined) points.set(suffix, [point])
    else if (isPart) known.push(point)
    else return undefined
  }
  return points
}
