import { isLegacyName } from "./names.ts"

/** What is known of a metric family. */
export interface FamilyMetadata {
  readonly type: MetricType
  readonly help: string
  readonly unit: string
}

export const METRIC_TYPES = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
] as const
export type MetricType = (typeof METRIC_TYPES)[number]

/** By the name of the family. */
export type Metadata = ReadonlyMap<string, FamilyMetadata>

/** Of several tenants: the first that knows a family. */
export function merged(all: readonly Metadata[]): Metadata {
  const [first = new Map<string, FamilyMetadata>(), ...others] = all
  return others.length === 0 ? first : new Map([...others.toReversed(), first].flatMap((one) => [...one]))
}

/** Names of series of one family, in the order in which they are written. */
export interface FamilyOfNames {
  readonly family: string
  readonly metadata: FamilyMetadata | undefined
  readonly names: readonly string[]
  /** Whether a name that its series can have is a family of its own: readers would not know whose it is. */
  readonly clashes: boolean
}

const CREATED = "_created"
/** What the series of a family of this type are called besides. */
const SUFFIXES: Partial<Readonly<Record<MetricType, readonly string[]>>> = {
  histogram: ["_bucket", "_count", "_sum", CREATED],
  gaugehistogram: ["_bucket", "_gcount", "_gsum"],
  summary: ["_count", "_sum", CREATED],
  counter: ["_total", CREATED],
  info: ["_info"],
}

/**
 * Groups names into families by what is known of these: a name of which nothing is known is a family of its own. Sorted, those
 * whose names every reader knows first, so that others can give way to them.
 */
export function familiesOf(names: Iterable<string>, metadata: Metadata): readonly FamilyOfNames[] {
  const families = new Map<string, string[]>()
  for (const name of names) {
    const family = familyOf(name, metadata)
    const known = families.get(family)
    if (known === undefined) families.set(family, [name])
    else known.push(name)
  }
  return [...families]
    .map(([family, own]) => {
      const known = metadata.get(family)
      const suffixes = (known && SUFFIXES[known.type]) ?? []
      const clashes = suffixes.some((suffix) => suffix !== CREATED && metadata.has(family + suffix))
      return { family, metadata: known, names: own.toSorted(), clashes }
    })
    .toSorted((a, b) => rank(a.family) - rank(b.family) || (a.family < b.family ? -1 : 1))
}

const rank = (family: string): number => (isLegacyName(family) ? 0 : 1)

export function familyOf(name: string, metadata: Metadata): string {
  const at = name.lastIndexOf("_")
  const [base, suffix] = at < 1 ? [name, ""] : [name.slice(0, at), name.slice(at)]
  // in text it has metadata of its own, and belongs to the other one all the same
  if (suffix === CREATED) {
    if (SUFFIXES[metadata.get(base)?.type ?? "unknown"]?.includes(CREATED) === true) return base
    if (metadata.get(`${base}_total`)?.type === "counter") return `${base}_total`
  }
  if (metadata.has(name)) return name
  return SUFFIXES[metadata.get(base)?.type ?? "unknown"]?.includes(suffix) === true ? base : name
}

/** Whether it is the time at which a series of the family began. */
export const isCreated = (name: string, family: string): boolean => name !== family && name.endsWith(CREATED)

/** Names that mean the family or its samples to a reader, in every format, whether it has these or not. */
export function takenBy({ family, metadata, names }: FamilyOfNames): readonly string[] {
  const suffixes = metadata && SUFFIXES[metadata.type]
  if (metadata === undefined || suffixes === undefined) return names
  const base = openMetricsName(family, metadata.type)
  return [...names, family, base, ...suffixes.map((suffix) => base + suffix)]
}

/** In text, the suffix of counters and infos is a part of the family's name. */
export function openMetricsName(family: string, type: MetricType): string {
  const own = type === "counter" ? "_total" : type === "info" ? "_info" : ""
  return own !== "" && family.endsWith(own) ? family.slice(0, -own.length) : family
}
