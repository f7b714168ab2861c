import type { TenantId } from "../../tenants/tenant.ts"
import type { Ruler } from "../ruler/ruler.ts"
import { originKey } from "./origin.ts"
import type { FoundGroup } from "./plan.ts"

export interface ReadGroups {
  /** By `originKey`. */
  readonly present: ReadonlyMap<string, FoundGroup>
  /** Why there may be more; undefined: these are all. */
  readonly notWhole: string | undefined
  /** Of rules. */
  readonly count: number
}

/** The groups of a tenant at all rulers; of several that have one address, the first ruler's. */
export async function readGroups(
  rulers: readonly Ruler[],
  tenant: TenantId,
  failed: (what: string, error: unknown) => void,
  signal: AbortSignal,
): Promise<ReadGroups> {
  const present = new Map<string, FoundGroup>()
  let notWhole: string | undefined
  let count = 0
  for (const ruler of rulers) {
    try {
      for (const [namespace, groups] of await ruler.list(tenant, signal)) {
        for (const [name, group] of groups) {
          const origin = { tenant, namespace, group: name }
          const key = originKey(origin)
          count += group.rules.length
          if (!present.has(key)) present.set(key, { ruler: ruler.name, origin, group })
        }
      }
    } catch (error) {
      failed(`${tenant} at ${ruler.name}`, error)
      notWhole = `its group is missing at the rulers, and the ruler ${ruler.name} could not be read: it stays`
    }
  }
  return { present, notWhole, count }
}
