import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { parser } from "@prometheus-io/lezer-promql"
import { parse } from "yaml"

/** An expression that is shipped, and where it stands. */
export interface Shipped {
  readonly where: string
  readonly expression: string
  /** Labels that a text beside it shows, such as a legend. */
  readonly shown: readonly string[]
}

/** What an expression expects of the series that there are. */
export interface Uses {
  /** Labels by metric, as its selectors match them. */
  readonly matched: ReadonlyMap<string, ReadonlySet<string>>
  /** Labels that it groups and joins by. */
  readonly grouped: ReadonlySet<string>
}

const RULES = join(import.meta.dirname, "rules")

/** The alerts of these files; without names those of what docker-compose.site.yml starts. */
export async function shippedRules(
  names: readonly string[] = ["project-usage", "proxy"],
): Promise<readonly (Shipped & { readonly alert: string })[]> {
  const files = names.map((name) => `${name}.yml`)
  const texts = await Promise.all(files.map((file) => readFile(join(RULES, file), "utf8")))
  return texts.flatMap((text, index) => {
    const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string }[] }[] }
    return groups
      .flatMap(({ rules }) => rules)
      .map(({ alert, expr }) => ({ alert, where: `${files[index]} ${alert}`, expression: expr, shown: [] }))
  })
}

/** Reads an expression with Prometheus' own grammar. */
export function usesOf(expression: string): Uses {
  const matched = new Map<string, Set<string>>()
  const grouped = new Set<string>()
  const textOf = ({ from, to }: { from: number; to: number }): string => expression.slice(from, to)
  parser.parse(expression).iterate({
    enter({ name, node, type }) {
      if (type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`)
      if (name === "GroupingLabels") for (const label of node.getChildren("LabelName")) grouped.add(textOf(label))
      if (name !== "VectorSelector") return
      const metric = node.getChild("Identifier")
      if (metric === null) throw new Error(`a selector without a metric's name: ${textOf(node)}`)
      const labels = matched.get(textOf(metric)) ?? new Set()
      matched.set(textOf(metric), labels)
      for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
        const label = matcher.getChild("LabelName")
        if (label !== null) labels.add(textOf(label))
      }
    },
  })
  return { matched, grouped }
}
