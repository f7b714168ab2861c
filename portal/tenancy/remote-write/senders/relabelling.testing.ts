import { type RelabelRule, siteRelabelling } from "../../../federation/site-labels.ts"
import type { LabelPair } from "./messages.testing.ts"

/** What the rules that the portal gives to its Prometheus make of a series: as Prometheus reads them. */
export function relabelled(
  labels: readonly LabelPair[],
  own: Readonly<Record<string, string>> & { readonly site: string },
  names: readonly string[],
): readonly LabelPair[] {
  const result = new Map(labels.filter(([, value]) => value !== ""))
  for (const rule of siteRelabelling(own, names)) applyRule(rule, result)
  return [...result].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function applyRule(rule: RelabelRule, labels: Map<string, string>): void {
  const { action, source_labels: sources = [], regex = "(.*)", target_label: target = "", replacement = "$1" } = rule
  const expression = new RegExp(`^(?:${regex})$`, "su")
  if (action === "labeldrop") {
    for (const name of labels.keys()) if (expression.test(name)) labels.delete(name)
    return
  }
  if (action === "labelmap") {
    for (const [name, value] of [...labels]) {
      if (expression.test(name)) labels.set(name.replace(expression, replacement), value)
    }
    return
  }
  const source = sources.map((name) => labels.get(name) ?? "").join(";")
  if (!expression.test(source)) return
  const value = source.replace(expression, replacement)
  if (value === "") labels.delete(target)
  else labels.set(target, value)
}
