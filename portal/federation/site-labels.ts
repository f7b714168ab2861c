import { EXPORTED, exportedNames } from "../sites/exported.ts"
import { literally } from "../sites/literally.ts"

/** A rule of metric_relabel_configs. */
export interface RelabelRule {
  readonly action?: "labeldrop" | "labelmap"
  readonly source_labels?: readonly string[]
  readonly regex?: string
  readonly target_label?: string
  readonly replacement?: string
}

/** Where labels wait while they are renamed. Prometheus reserves names that begin with two underscores. */
const WAITING = "__tmp_fedstack_"

/**
 * honor_labels lets a site send any label, also those by which the portal distinguishes sites. Those are set to the
 * portal's values; those that only other sites or the portal itself (external_labels) have are taken off: no site can speak
 * as another. What the site sent under such a name gets `exported_` before it, and so does what it sent under that name,
 * without end: series that differ at the site still differ. Prometheus' own honor_labels: false puts a label where it finds
 * a free name instead, and makes one of {location="x"} and {exported_location="x"}.
 */
export function siteRelabelling(
  labels: Readonly<Record<string, string>> & { readonly site: string },
  labelsOfPortal: Iterable<string>,
): readonly RelabelRule[] {
  const own = Object.entries(labels)
  const names = new Set([...labelsOfPortal, ...Object.keys(labels)])
  return [
    ...keepApartFromPortal(labels.site),
    // what Prometheus itself added where the site sent nothing
    ...own.map(([label, value]) => ({
      source_labels: [label],
      regex: literally(value),
      target_label: label,
      replacement: "",
    })),
    ...renameToExported(exportedNames(names)),
    ...own.map(([label, value]) => ({
      target_label: label,
      replacement: value.replaceAll("$", "$$$$"), // two dollars each: one would begin a capture group's name
    })),
  ]
}

const keepApartFromPortal = (site: string): readonly RelabelRule[] => [
  // what the portal records and alerts on has no job, so that a site cannot send it
  { source_labels: ["job"], regex: "", target_label: "job", replacement: site },
  // what Prometheus itself notes of each scrape: one sample of the near future would keep a dead site up
  {
    source_labels: ["__name__", "job"],
    regex: String.raw`(?:up|scrape_\w*);((?:exported_)*${literally(site)})`,
    target_label: "job",
    replacement: "exported_$1",
  },
]

/** With location and exported_location both the portal's, the site's location becomes exported_exported_location. */
function renameToExported(firstNames: ReadonlyMap<string, number>): readonly RelabelRule[] {
  const familiesOf = (first: readonly string[]) => `(?:${EXPORTED})*(?:${first.toSorted().map(literally).join("|")})`
  const all = familiesOf([...firstNames.keys()])
  const byPrefixes = Map.groupBy(firstNames.keys(), (first) => firstNames.get(first) ?? 1)
  return [
    { action: "labelmap", regex: `(${all})`, replacement: `${WAITING}$1` },
    { action: "labeldrop", regex: all },
    ...[...byPrefixes].map(([prefixes, first]) => ({
      action: "labelmap" as const,
      regex: `${WAITING}(${familiesOf(first)})`,
      replacement: `${EXPORTED.repeat(prefixes)}$1`,
    })),
    { action: "labeldrop", regex: `${WAITING}.*` },
  ]
}
