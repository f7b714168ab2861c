import { type Path, showPath } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import { readDocuments } from "../check/documents.ts"
import { type Fields, isFields } from "../fields.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { kindOf } from "../validation/read-values.ts"

/** OpenMetricsRules of a file, also in lists, as `kubectl apply` would create them. Throws ConfigurationError. */
export function resourcesIn(text: string, file: string): readonly RuleResource[] {
  const faults = new Faults()
  const found: RuleResource[] = []
  for (const { fault, asApplied, placeOf } of readDocuments(text)) {
    const report = (path: Path, message: string): undefined => {
      const { line, column } = placeOf(path)
      faults.add(`${file}:${line}:${column} ${showPath(path)}`.trimEnd(), message)
    }
    if (fault !== undefined) {
      report([], `is no valid YAML: ${fault}`)
      // what follows is read as part of it
      break
    }
    for (const [path, value] of rulesIn(asApplied(), [])) {
      const resource = readResource(value, path, report)
      if (resource !== undefined) found.push(resource)
    }
  }
  if (found.length === 0 && !faults.any) faults.add(file, "holds no OpenMetricsRule; name a file with manifests")
  faults.orThrow()
  return found
}

/** With their paths; items of an OpenMetricsRuleList may have no kind of their own. */
function* rulesIn(value: unknown, path: Path, listed?: string): Generator<readonly [path: Path, rule: Fields]> {
  if (!isFields(value)) return
  const { kind = listed, items } = value
  if (kind === "OpenMetricsRule") yield [path, value]
  const ofItems = kind === "OpenMetricsRuleList" ? "OpenMetricsRule" : undefined
  const all: readonly unknown[] = Array.isArray(items) ? items : []
  for (const [index, item] of all.entries()) yield* rulesIn(item, [...path, "items", index], ofItems)
}

function readResource(
  { metadata, spec }: Fields,
  path: Path,
  report: (path: Path, message: string) => undefined,
): RuleResource | undefined {
  const { name, namespace, annotations } = isFields(metadata) ? metadata : {}
  for (const [field, value] of Object.entries({ name, namespace })) {
    if (value === undefined || value === null || typeof value === "string") continue
    return report([...path, "metadata", field], `must be text, but is ${kindOf(value)}; put it in quotes`)
  }
  if (typeof name !== "string" || name === "")
    return report(path, "is an OpenMetricsRule without metadata.name; add one")
  return {
    metadata: {
      name,
      namespace: typeof namespace === "string" && namespace !== "" ? namespace : "default",
      ...(isFields(annotations) ? { annotations: annotations as Readonly<Record<string, string>> } : {}),
    },
    ...(isFields(spec) ? { spec } : {}),
  }
}
