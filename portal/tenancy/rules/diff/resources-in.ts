import { Faults } from "#core/config/faults.ts"
import { readDocuments } from "../check/documents.ts"
import { isFields } from "../fields.ts"
import type { RuleResource } from "../resources/rule-resource.ts"

/** OpenMetricsRules of a file, also in lists, as `kubectl apply` would create them. Throws ConfigurationError. */
export function resourcesIn(text: string, file: string): readonly RuleResource[] {
  const faults = new Faults()
  const found: RuleResource[] = []
  const take = (value: unknown): void => {
    if (!isFields(value)) return
    if (Array.isArray(value.items)) for (const item of value.items as readonly unknown[]) take(item)
    if (value.kind !== "OpenMetricsRule") return
    const { metadata, spec } = value
    if (!isFields(metadata) || typeof metadata.name !== "string")
      return faults.add(file, "has an OpenMetricsRule without a name")
    const { name, namespace = "default", annotations } = metadata
    found.push({ metadata: { name, namespace, annotations }, spec } as RuleResource)
  }
  for (const { fault, asApplied } of readDocuments(text)) {
    if (fault === undefined) take(asApplied())
    else faults.add(file, `is no valid YAML: ${fault}`)
  }
  if (found.length === 0 && !faults.any) faults.add(file, "holds no OpenMetricsRule; name a file with manifests")
  faults.orThrow()
  return found
}
