import type { StoredSeries } from "../store/series.ts"
import type { Format, ReadSeries } from "./format.ts"
import { type FamilyOfNames, takenBy } from "./metadata.ts"
import { isLegacyLabel, isLegacyName, legacyLabel, legacyName } from "./names.ts"

type Labels = StoredSeries["labels"]

/**
 * For scrapers that know only letters, digits, `_` and `:`. Two names must not become one, which such a scraper would refuse with
 * all else: what has its name by itself goes first, and what would only get it by escaping is left out.
 */
export function withUnderscores(format: Format): Format {
  const written = new Set<string>()
  return {
    ...format,
    *family(family, read) {
      const legacy = withLegacyLabels(read)
      if (isLegacyName(family.family)) {
        for (const name of takenBy(family)) written.add(name)
        yield* format.family(family, legacy)
        return
      }
      for (const name of family.names) {
        const shown = legacyName(name)
        if (written.has(shown)) continue
        written.add(shown)
        yield* format.family(aloneOf(family, shown), () => renamed(legacy(name), shown))
      }
    },
  }
}

/** By itself, and with its type where that is of one name only: its family may have another's name, too. */
function aloneOf({ metadata }: FamilyOfNames, name: string): FamilyOfNames {
  return { family: name, metadata: metadata?.type === "gauge" ? metadata : undefined, names: [name], clashes: false }
}

function* renamed(all: Iterable<StoredSeries>, name: string): Generator<StoredSeries> {
  for (const series of all) yield { ...series, name }
}

function withLegacyLabels(read: ReadSeries): ReadSeries {
  return function* series(name) {
    const escaped: StoredSeries[] = []
    for (const one of read(name)) {
      if (one.labels.every(([label]) => isLegacyLabel(label))) yield one
      else escaped.push({ ...one, labels: legacyLabels(one.labels) })
    }
    if (escaped.length === 0) return
    const known = new Set<string>()
    for (const { labels } of read(name)) {
      if (labels.every(([label]) => isLegacyLabel(label))) known.add(keyOf(labels))
    }
    for (const one of escaped) {
      const key = keyOf(one.labels)
      if (known.has(key)) continue
      known.add(key)
      yield one
    }
  }
}

function legacyLabels(labels: Labels): Labels {
  const taken = new Set(["__name__", ...labels.map(([label]) => label).filter(isLegacyLabel)])
  return labels.flatMap(([label, value]) => {
    if (isLegacyLabel(label)) return [[label, value] as const]
    const shown = legacyLabel(label)
    if (taken.has(shown)) return []
    taken.add(shown)
    return [[shown, value] as const]
  })
}

/** An empty instance is none. */
const keyOf = (labels: Labels): string => JSON.stringify(labels.toSorted(([a], [b]) => (a < b ? -1 : 1)))
