import type { Site } from "../../federation/sites.ts"
import type { Sample } from "./sample-line.ts"

/** Samples of one series and time with different values: Prometheus keeps the first of them. */
export function conflicts(samples: readonly Sample[]): { readonly count: number; readonly metric: string } | undefined {
  const values = new Map<string, string>()
  let count = 0
  let metric = ""
  for (const { name, labels, timestamp, value } of samples) {
    const pairs = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const key = JSON.stringify([name, timestamp, pairs])
    const known = values.get(key)
    if (known === undefined) values.set(key, value)
    else if (known !== value) {
      count += 1
      metric ||= name
    }
  }
  return count === 0 ? undefined : { count, metric }
}

type Labelled = Pick<Site, "name" | "labels">

const labelsOf = ({ name, labels }: Labelled): Readonly<Record<string, string>> => ({ ...labels, site: name })

type Owners = ReadonlyMap<string, string>

const ownersOf = new WeakMap<readonly Labelled[], Owners>()

/** The first site with each label and value; for all probes of the same list of sites once. */
function ownersIn(sites: readonly Labelled[]): Owners {
  const known = ownersOf.get(sites)
  if (known !== undefined) return known
  const owners = new Map<string, string>()
  for (const site of sites)
    for (const pair of Object.entries(labelsOf(site))) {
      const key = JSON.stringify(pair)
      if (!owners.has(key)) owners.set(key, site.name)
    }
  ownersOf.set(sites, owners)
  return owners
}

/** A label that distinguishes another site, at the series of this one; undefined where there is none. */
export function foreignLabel(
  samples: readonly Sample[],
  site: Labelled,
  others: readonly Labelled[],
): { readonly label: string; readonly value: string; readonly other: string } | undefined {
  const owners = ownersIn(others)
  const own = labelsOf(site)
  for (const { labels } of samples)
    for (const label of Object.keys(own)) {
      const value = labels.get(label)
      if (value === undefined || value === own[label]) continue
      const other = owners.get(JSON.stringify([label, value]))
      if (other !== undefined && other !== site.name) return { label, value, other }
    }
  return undefined
}

export interface Ages {
  /** Seconds that the newest sample is old; negative: it is ahead. */
  readonly newest: number
  readonly oldest: number
}

/** Undefined where no sample has a timestamp. `now`: seconds. */
export function agesOf(samples: readonly Sample[], now: number): Ages | undefined {
  let [newest, oldest] = [Infinity, -Infinity]
  for (const { timestamp } of samples) {
    if (timestamp === undefined) continue
    newest = Math.min(newest, now - timestamp)
    oldest = Math.max(oldest, now - timestamp)
  }
  return Number.isFinite(newest) ? { newest, oldest } : undefined
}
