import { isMap, isScalar, parseDocument } from "yaml"
import { duplicates } from "#core/config/faults.ts"
import type { Report } from "./credentials.ts"
import type { SiteEntry } from "./schema.ts"

/** What shows only across keys, entries or in the text itself. */
export function crossCheck(text: string, entries: readonly Partial<SiteEntry>[], report: Report): void {
  checkTwins(entries, report)
  checkTimes(entries, report)
  checkNumbers(text, entries.length, report)
}

function checkTwins(entries: readonly Partial<SiteEntry>[], report: Report): void {
  const kinds: readonly [keyof SiteEntry, (entry: Partial<SiteEntry>) => string | undefined, string][] = [
    // names become files: some file systems take a and A for the same
    ["name", ({ name }) => name?.toLowerCase(), "is also the name of"],
    ["url", ({ url }) => url?.href, "is also the url of"],
    ["labels", ({ labels }) => identity(labels), "are also the labels of"],
  ]
  const numbered = entries.map((entry, index) => ({ entry, index }))
  for (const [key, of, message] of kinds) {
    for (const [{ index }, first] of duplicates(numbered, ({ entry }) => of(entry))) {
      const named = first.entry.name === undefined ? "" : ` (${first.entry.name})`
      report(["sites", index, key], `${message} sites[${first.index}]${named}; each site needs its own`)
    }
  }
}

/** Sites without labels differ by the label site, which they always have. */
function identity(labels: Readonly<Record<string, string>> = {}): string | undefined {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? undefined : JSON.stringify(pairs)
}

function checkTimes(entries: readonly Partial<SiteEntry>[], report: Report): void {
  entries.forEach(({ interval, timeout }, index) => {
    if (interval === undefined || timeout === undefined || timeout <= interval) return
    report(["sites", index, "timeout"], `must be at most the interval, which is ${interval}s`)
  })
}

/** `010` and `1e3` are numbers to YAML, whose value is written in another way. */
function checkNumbers(text: string, sites: number, report: Report): void {
  const document = parseDocument(text)
  for (let index = 0; index < sites; index += 1) {
    const labels = document.getIn(["sites", index, "labels"])
    for (const { key, value } of isMap(labels) ? labels.items : []) {
      if (!isScalar(value) || typeof value.value !== "number" || value.source === String(value.value)) continue
      const message = `is read as the number ${value.value}; quote it to keep what is written`
      report(["sites", index, "labels", String(key)], message)
    }
  }
}
