import type { Path } from "#core/config/config-file.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import { quote } from "../../tenants/quote.ts"
import { Wrong } from "#core/config/settings.ts"
import type { Problem } from "../validation/problem.ts"
import { type Fields, isFields } from "../fields.ts"
import { kindOf } from "../validation/read-values.ts"
import type { Target } from "../validation/target.ts"
import type { FileDocument } from "./documents.ts"

/** Something in a file that has groups of rules. */
export interface RuleSource {
  readonly document: FileDocument
  /** Resources pass through Kubernetes, plain rule files are read as they are. */
  readonly isResource: boolean
  /** Of the list of groups. */
  readonly path: Path
  readonly groups: unknown
  /** Of an OpenMetricsRule. */
  readonly tenants?: readonly string[] | undefined
  /** The namespace and name of one. */
  readonly resource?: ResourceName | undefined
}

export interface ResourceName {
  readonly namespace: string
  readonly name: string
}

interface Found {
  readonly sources: readonly RuleSource[]
  /** Of what is around the groups; paths from the document. */
  readonly problems: readonly (Problem & { readonly document: FileDocument })[]
}

/** What the documents of one file hold. */
export function findSources(documents: readonly FileDocument[], target: Target): Found {
  const sources: RuleSource[] = []
  const problems: (Problem & { readonly document: FileDocument })[] = []
  const first = documents.find((document) => document.fault !== undefined || !isEmpty(document))
  const isRuleFile = first !== undefined && first.fault === undefined && !isObject(first.value)
  for (const [index, document] of documents.entries()) {
    const report: Report = (severity, path, message) =>
      problems.push({ severity, check: "schema", path, message, document })
    if (document.fault !== undefined && !isRuleFile) {
      report("error", [], `is no valid YAML: ${document.fault}`)
      // what follows is read as part of it, or not as it is meant
      break
    }
    if (isEmpty(document) && document.fault === undefined) continue
    if (!isRuleFile) sources.push(...objectSources(document.asApplied(), [], document, report))
    else if (index === 0) sources.push(...plainSources(document, target, report))
    else report("warning", [], IGNORED)
  }
  return { sources, problems }
}

const IGNORED = "is ignored: Prometheus reads only the first document of a rule file; move its groups there"

const isEmpty = ({ value }: FileDocument): boolean => value === null || value === undefined

type Report = (severity: "error" | "warning", path: Path, message: string) => void

const isObject = (value: unknown): value is Fields => isFields(value) && ("apiVersion" in value || "kind" in value)

function plainSources(document: FileDocument, target: Target, report: Report): readonly RuleSource[] {
  const value = document.asWritten()
  if (!isFields(value)) {
    report("error", [], `must be a map with groups, or a Kubernetes object, but is ${kindOf(value)}`)
    return []
  }
  for (const field of Object.keys(value)) {
    // as the tools of Cortex and Mimir write it
    if (field === "groups" || (field === "namespace" && target.unknownFields === "dropped")) continue
    report("error", [field], "is no field of a rule file, which holds groups alone; remove it")
  }
  return [{ document, isResource: false, path: ["groups"], groups: value.groups }]
}

/** By their API group, and fields of their spec. */
const KINDS: Readonly<Record<string, { readonly group: string; readonly fields: readonly string[] }>> = {
  OpenMetricsRule: { group: "open-metrics.vgs.io", fields: ["tenants", "description", "groups"] },
  PrometheusRule: { group: "monitoring.coreos.com", fields: ["groups"] },
}

/** Of an object and, where it is a list, of what it lists. `listed` are the version and kind of a list's items. */
function objectSources(
  value: unknown,
  path: Path,
  document: FileDocument,
  report: Report,
  listed: Fields = {},
): readonly RuleSource[] {
  if (!isFields(value)) {
    report("warning", path, `is ignored: it must be a Kubernetes object, but is ${kindOf(value)}`)
    return []
  }
  const { apiVersion = listed.apiVersion, kind = listed.kind, items, metadata, spec } = value
  if (typeof kind !== "string" || typeof apiVersion !== "string") {
    report("error", path, "must have apiVersion and kind, as every Kubernetes object beside it")
    return []
  }
  if (kind.endsWith("List") && Array.isArray(items)) {
    const ofItems = kind === "List" ? {} : { apiVersion, kind: kind.replace(/List$/, "") }
    const all: readonly unknown[] = items
    return all.flatMap((item, index) => objectSources(item, [...path, "items", index], document, report, ofItems))
  }
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (known === undefined) return []
  if (apiVersion.split("/")[0] !== known.group) {
    report("warning", path, `is ignored: ${kind} is of ${known.group}/v1, not of ${quote(apiVersion)}`)
    return []
  }
  if (!isFields(spec)) {
    report("error", path, "must have a spec with groups")
    return []
  }
  const inSpec = [...path, "spec"]
  for (const field of Object.keys(spec))
    if (!known.fields.includes(field)) report("error", [...inSpec, field], `is no field of ${kind}; remove it`)
  checkName(metadata, [...path, "metadata"], report)
  if (kind === "OpenMetricsRule") checkTenants(spec.tenants, [...inSpec, "tenants"], report)
  const source = { document, isResource: true, path: [...inSpec, "groups"], groups: spec.groups }
  if (kind !== "OpenMetricsRule") return [source]
  return [{ ...source, tenants: textsOf(spec.tenants), resource: resourceName(metadata) }]
}

/** Such as `namespace: on`, which the API refuses. */
function checkName(metadata: unknown, path: Path, report: Report): void {
  const { name, namespace } = isFields(metadata) ? metadata : {}
  for (const [field, value] of Object.entries({ name, namespace })) {
    if (value === undefined || value === null || typeof value === "string") continue
    report("error", [...path, field], `must be text, but is ${kindOf(value)}; put it in quotes`)
  }
}

function resourceName(metadata: unknown): ResourceName {
  const { namespace, name } = isFields(metadata) ? metadata : {}
  return { namespace: textOf(namespace), name: textOf(name) }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

function textsOf(list: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(list) ? list : []
  return all.filter((item) => typeof item === "string")
}

function checkTenants(tenants: unknown, path: Path, report: Report): void {
  if (!Array.isArray(tenants)) return report("error", path, `must be a list of tenants, but is ${kindOf(tenants)}`)
  if (tenants.length === 0) report("warning", path, "lists nobody, so the rules go nowhere; add tenants")
  const all: readonly unknown[] = tenants
  all.forEach((item, index) => {
    const tenant = typeof item === "string" ? parseTenant(item) : new Wrong(`must be text, but is ${kindOf(item)}`)
    if (tenant instanceof Wrong)
      report("error", [...path, index], `${tenant.reason}${typeof item === "string" ? ` (is ${quote(item)})` : ""}`)
    else if (tenant === "*")
      report("warning", [...path, index], "is the tenant called *, and not all tenants; list those that are meant")
  })
}
