export const EXPORTED = "exported_"
/** What is no property of a site, but of what it measures. */
const NEVER_RENAMED = ["job", "instance", "le", "quantile", "__name__"]

/**
 * How often `exported_` is put before a name that a site may not use, by the name without it: more than once where
 * `exported_location` is the portal's too. What stands under `exported_location` at a site is renamed as well, without
 * end, so that series that differ at the site still differ.
 */
export function exportedNames(names: Iterable<string>): ReadonlyMap<string, number> {
  const renamed = [...new Set(names)].filter((name) => !NEVER_RENAMED.includes(name))
  const families = Map.groupBy(renamed, withoutExported)
  const prefixes = new Map<string, number>()
  for (const family of families.values()) {
    const [first = "", ...more] = family.toSorted((a, b) => a.length - b.length)
    prefixes.set(first, ((more.at(-1) ?? first).length - first.length) / EXPORTED.length + 1)
  }
  return prefixes
}

const withoutExported = (name: string): string => name.replace(/^(?:exported_)+/, "")
