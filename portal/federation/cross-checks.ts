import { isScalar, parseDocument } from "yaml"
import { duplicates } from "#core/config/faults.ts"
import type { Report } from "./credentials.ts"
import type { SiteEntry } from "./schema.ts"

/** What shows only across keys, entries or in the text itself. `raw` is the file's content as it was parsed. */
export function crossCheck(text: string, raw: unknown, entries: readonly Partial<SiteEntry>[], report: Report): void {
  checkTwins(entries, report)
  checkTimes(entries, report)
  checkNumbers(text, raw, report)
}

function checkTwins(entries: readonly Partial<SiteEntry>[], report: Report): void {
  const kinds: readonly [
    key: keyof SiteEntry,
    of: (entry: Partial<SiteEntry>) => string | undefined,
    message: string,
  ][] = [
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
function checkNumbers(text: string, raw: unknown, report: Report): void {
  const document = parseDocument(text)
  const list = keysOf(raw).sites
  for (const [index, entry] of Array.isArray(list) ? list.entries() : []) {
    for (const [label, value] of Object.entries(keysOf(keysOf(entry).labels))) {
      const path = ["sites", index, "labels", label]
      const node = document.getIn(path, true)
      if (typeof value !== "number" || !isScalar(node) || node.source === String(value)) continue
      report(path, `is read as the number ${value}; quote it to keep what is written`)
    }
  }
}

export function keysOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}
