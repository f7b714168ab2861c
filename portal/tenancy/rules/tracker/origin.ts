import type { TenantId } from "../../tenants/tenant.ts"
import { isFields } from "../fields.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import type { KubernetesNamespaceOf } from "./kubernetes-namespace.ts"
import { resourceNames } from "./resource-names.ts"

/** Annotation of what the tracker made: the group that it was made of. */
const ORIGIN = "fedstack.dev/origin"
/** Annotation of a mirror: the generation that the tracker wrote. Another one means that another client wrote the spec. */
export const MIRRORED = "fedstack.dev/mirrored-generation"

/** A group of a tenant at the rulers. */
export interface Origin {
  readonly tenant: TenantId
  /** At the ruler. */
  readonly namespace: string
  readonly group: string
}

export const originKey = ({ tenant, namespace, group }: Origin): string => JSON.stringify([tenant, namespace, group])

export const originAnnotation = (origin: Origin): Readonly<Record<string, string>> => ({
  [ORIGIN]: JSON.stringify(origin),
})

/** Of a resource that the tracker made; undefined for all others. */
export function originOf({ metadata: { annotations = {} } }: RuleResource): Origin | undefined {
  try {
    const value: unknown = JSON.parse(annotations[ORIGIN] ?? "null")
    if (!isFields(value)) return undefined
    const { tenant, namespace, group } = value
    const isWhole = [tenant, namespace, group].every((part) => typeof part === "string")
    return isWhole ? { tenant: tenant as TenantId, namespace: namespace as string, group: group as string } : undefined
  } catch {
    return undefined
  }
}

export const isMirror = ({ metadata: { annotations = {} } }: RuleResource): boolean =>
  annotations[DIRECTION] === "ruler"

/** Mirrors that the tracker made, by tenant. A copy of one under another name is its owner's alone. */
export function mirrorsByTenant(
  resources: Iterable<RuleResource>,
  namespaceOf: KubernetesNamespaceOf,
): ReadonlyMap<TenantId, readonly RuleResource[]> {
  const mirrors = new Map<TenantId, RuleResource[]>()
  for (const resource of resources) {
    const origin = isMirror(resource) ? originOf(resource) : undefined
    if (origin === undefined) continue
    const { tenant, namespace, group } = origin
    const isPlaced = namespaceOf(namespace) === resource.metadata.namespace
    if (!isPlaced || !resourceNames(tenant, group).includes(resource.metadata.name)) continue
    mirrors.set(tenant, [...(mirrors.get(tenant) ?? []), resource])
  }
  return mirrors
}

/** Whether a mirror's spec is as the tracker wrote it. */
export const isUntouched = ({ metadata: { generation, annotations = {} } }: RuleResource): boolean =>
  generation !== undefined && annotations[MIRRORED] === String(generation)
