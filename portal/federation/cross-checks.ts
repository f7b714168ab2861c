import { type Document, isMap, isScalar } from "yaml"
import { duplicates } from "#core/config/faults.ts"
import { CREDENTIALS, type Report } from "./credentials.ts"
import type { ReadableSite, SiteEntry } from "./schema.ts"

/** What shows only across keys, entries or in the text itself. */
export function crossCheck(document: Document, entries: readonly ReadableSite[], report: Report): void {
  checkTwins(entries, report)
  checkTimes(entries, report)
  checkCredentials(document, entries.length, report)
  checkNumbers(document, entries.length, report)
}

function checkTwins(entries: readonly ReadableSite[], report: Report): void {
  const kinds: readonly [keyof SiteEntry, (entry: ReadableSite) => string | undefined, string][] = [
    // names become files: some file systems take a and A for the same
    ["name", ({ name }) => name?.toLowerCase(), "is also the name of"],
    // other selectors or another token of one url are other series
    ["url", request, "requests the same series as"],
    // entries for one url are one place
    ["labels", ({ labels }) => identity(labels), "are also the labels of"],
  ]
  const numbered = entries.map((entry, index) => ({ entry, index }))
  for (const [key, of, message] of kinds) {
    for (const [{ entry, index }, first] of duplicates(numbered, (one) => of(one.entry))) {
      const isOnePlace = entry.url !== undefined && entry.url.href === first.entry.url?.href
      if (key === "labels" && isOnePlace) continue
      const named = first.entry.name === undefined ? "" : ` (${first.entry.name})`
      report(["sites", index, key], `${message} sites[${first.index}]${named}; each site needs its own`)
    }
  }
}

/** What an entry requests, and with which credentials; undefined where either is not known. */
function request({ url, match, tls, ...entry }: ReadableSite): string | undefined {
  if (url === undefined || match === undefined) return undefined
  return JSON.stringify([url.href, match.toSorted(), tls?.cert_file, CREDENTIALS.map((key) => entry[key])])
}

/** Sites without labels differ by the label site, which they always have. */
function identity(labels: Readonly<Record<string, string>> = {}): string | undefined {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? undefined : JSON.stringify(pairs)
}

function checkTimes(entries: readonly ReadableSite[], report: Report): void {
  entries.forEach(({ interval, timeout }, index) => {
    if (interval === undefined || timeout === undefined || timeout <= interval) return
    report(["sites", index, "timeout"], `must be at most the interval, which is ${interval}s`)
  })
}

/** By its keys alone: what they hold is validated by the schema. */
function checkCredentials(document: Document, sites: number, report: Report): void {
  for (let index = 0; index < sites; index += 1) {
    const entry = document.getIn(["sites", index], true)
    if (!isMap(entry) || entry.has("push")) continue
    const [first, ...more] = CREDENTIALS.filter((key) => entry.has(key))
    if (first === undefined && !document.hasIn(["sites", index, "tls", "cert_file"])) {
      const known = CREDENTIALS.join(", ").replace(/, (\w+)$/, " or $1")
      report(["sites", index], `needs ${known}, or a client certificate: tls with cert_file and key_file`)
    }
    for (const key of more) report(["sites", index, key], `cannot be sent beside ${first}; give one of them`)
  }
}

/** `010` and `1e3` are numbers to YAML, whose value is written in another way. */
function checkNumbers(document: Document, sites: number, report: Report): void {
  for (let index = 0; index < sites; index += 1) {
    const labels = document.getIn(["sites", index, "labels"])
    for (const { key, value } of isMap(labels) ? labels.items : []) {
      if (!isScalar(value) || typeof value.value !== "number" || value.source === String(value.value)) continue
      const message = `is read as the number ${value.value}; quote it to keep what is written`
      report(["sites", index, "labels", String(key)], message)
    }
  }
}
