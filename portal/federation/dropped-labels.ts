import { labelPattern } from "./label-pattern.ts"
import type { Site } from "./sites.ts"

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

export const seriesOf = (exposition: string): readonly string[] =>
  exposition.split("\n").filter((line) => line !== "" && !line.startsWith("#"))

/** How many series differ from another one by nothing but labels that drop_labels and rules of labeldrop take off. */
export function collapsing(site: Site, exposition: string): number {
  const dropped = droppedBy(site)
  if (dropped === undefined) return 0
  const known = new Set<string>()
  const series = seriesOf(exposition)
  for (const line of series) {
    const [, name = "", , labels = ""] = /^([^{\s]*)(\{(.*)\})?/.exec(line) ?? []
    const kept = [...labels.matchAll(LABEL)].filter(([, label = ""]) => !dropped(label)).map(([pair]) => pair)
    known.add(`${name}{${kept.toSorted((a, b) => (a < b ? -1 : 1)).join()}}`)
  }
  return series.length - known.size
}

function droppedBy({ drop_labels = [], metric_relabel_configs = [] }: Site): ((label: string) => boolean) | undefined {
  const patterns = metric_relabel_configs.filter(({ action }) => action === "labeldrop").map(({ regex = "" }) => regex)
  if (drop_labels.length === 0 && patterns.length === 0) return undefined
  const dropping = patterns.map(labelPattern)
  const verdicts = new Map<string, boolean>()
  const decide = (label: string): boolean =>
    drop_labels.includes(label) || dropping.some((matches) => matches(label) === true)
  return (label) => {
    const known = verdicts.get(label) ?? decide(label)
    verdicts.set(label, known)
    return known
  }
}
