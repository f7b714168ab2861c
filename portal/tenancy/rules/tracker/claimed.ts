import { tenantsOfRule } from "../../tenants/tenants-of-rule.ts"
import { isFields } from "../fields.ts"
import { ownedOf } from "../resources/ledger.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSnapshot } from "../resources/source.ts"
import type { NamespaceTemplate } from "../updater/namespace-template.ts"
import { isMirror, type Origin, originKey } from "./origin.ts"
import type { TenantId } from "../../tenants/tenant.ts"

/** What the resources say of groups at the rulers. */
export interface Claimed {
  /** Groups that a resource has, or wrote: they are no matter of the tracker. By `originKey`. */
  readonly groups: ReadonlyMap<string, Origin>
  /** Namespaces of Kubernetes, with why it is not known which groups their resources have; "" for all. */
  readonly unclear: ReadonlyMap<string, string>
  readonly tenants: ReadonlySet<TenantId>
}

export function claimedBy({ resources, incomplete }: ResourceSnapshot, template: NamespaceTemplate): Claimed {
  const groups = new Map<string, Origin>()
  const unclear = new Map(incomplete)
  const tenants = new Set<TenantId>()
  for (const [key, resource] of resources) {
    const { namespace = "", name, uid = "" } = resource.metadata
    const own = tenantsOfRule(resource).tenants
    for (const tenant of own ?? []) tenants.add(tenant)
    for (const { namespace: at, group, tenants: of } of ownedOf(resource.status))
      for (const tenant of of) add({ tenant: tenant as TenantId, namespace: at, group })
    if (isMirror(resource)) continue
    const names = groupNames(resource)
    if (own === undefined || names === undefined) {
      unclear.set(namespace, `it cannot be read which groups the resource ${key} has`)
      continue
    }
    const at = template({ namespace, name, uid })
    for (const tenant of own) for (const group of names) add({ tenant, namespace: at, group })
  }
  return { groups, unclear, tenants }

  function add(origin: Origin): void {
    groups.set(originKey(origin), origin)
  }
}

/** undefined where `spec.groups` is no list of groups. */
function groupNames({ spec }: RuleResource): readonly string[] | undefined {
  const groups: unknown = spec?.groups ?? []
  if (!Array.isArray(groups)) return undefined
  const names = (groups as readonly unknown[]).map((group) => (isFields(group) ? group.name : undefined))
  return names.filter((name) => typeof name === "string")
}
