import type { TenantId } from "../../tenants/tenant.ts"
import type { ResourceSource } from "../resources/source.ts"
import type { Ruler } from "../ruler/ruler.ts"
import type { Claimed } from "./claimed.ts"
import { type Direction, isTracked } from "./directions.ts"
import type { KubernetesNamespaceOf } from "./kubernetes-namespace.ts"
import { mirrorsByTenant } from "./origin.ts"

export interface TenantSources {
  readonly directions: readonly Direction[]
  readonly rulers: readonly Ruler[]
  readonly source: ResourceSource
  readonly namespaceOf: KubernetesNamespaceOf
  readonly claimed: Claimed
  /** Those that had groups before: who is missing in a list may have them all the same. */
  readonly known: Iterable<TenantId>
  readonly failed: (what: string, error: unknown) => void
}

/** Tenants whose groups are to be read, of all places that name any. */
export async function trackedTenants(sources: TenantSources, signal: AbortSignal): Promise<ReadonlySet<TenantId>> {
  const { directions, rulers, source, namespaceOf, claimed, known, failed } = sources
  const named = directions.flatMap(({ tenant }) => tenant ?? [])
  const owning = [...claimed.groups.values()].map(({ tenant }) => tenant)
  const mirrored = mirrorsByTenant(source.snapshot().resources.values(), namespaceOf).keys()
  const all = new Set<TenantId>([...named, ...claimed.tenants, ...owning, ...mirrored, ...known])
  // where every direction names its tenant nobody else is of interest
  if (directions.some(({ tenant, mode }) => tenant === undefined && mode !== "off")) {
    for (const ruler of rulers) {
      try {
        for (const tenant of (await ruler.tenants(signal)) ?? []) all.add(tenant)
      } catch (error) {
        failed(`tenants of ${ruler.name}`, error)
      }
    }
  }
  return new Set([...all].filter((tenant) => isTracked(directions, tenant)))
}
