import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { SyntaxNode } from "@lezer/common"
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
  /** Labels by metric, or by a selector of metrics' names, as its selectors match them. */
  readonly matched: ReadonlyMap<string, ReadonlySet<string>>
  /** Labels that it groups and joins by, without those that it makes. */
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
  const makes = new Set<string>()
  const textOf = ({ from, to }: { from: number; to: number }): string => expression.slice(from, to)
  parser.parse(expression).iterate({
    enter({ name, node, type }) {
      if (type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`)
      if (name === "GroupingLabels") for (const label of node.getChildren("LabelName")) grouped.add(textOf(label))
      if (name === "LabelJoin" || name === "LabelReplace") {
        const [made] = node.parent?.parent?.getChild("FunctionCallBody")?.getChildren("StringLiteral") ?? []
        if (made !== undefined) makes.add(textOf(made).slice(1, -1))
      }
      if (name !== "VectorSelector") return
      const metric = metricOf(node, textOf)
      const labels = matched.get(metric) ?? new Set()
      matched.set(metric, labels)
      for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
        const label = matcher.getChild("LabelName")
        if (label !== null && textOf(label) !== "__name__") labels.add(textOf(label))
      }
    },
  })
  return { matched, grouped: grouped.difference(makes) }
}

/** Its name, or as a selector what it matches names by. */
function metricOf(selector: SyntaxNode, textOf: (node: SyntaxNode) => string): string {
  const identifier = selector.getChild("Identifier")
  if (identifier !== null) return textOf(identifier)
  const matchers = selector.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []
  const byName = matchers.map(textOf).find((text) => text.startsWith("__name__"))
  if (byName === undefined) throw new Error(`a selector without a metric's name: ${textOf(selector)}`)
  return `{${byName}}`
}
