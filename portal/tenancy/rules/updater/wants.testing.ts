import { addressKey } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import type { Steps } from "../validation/steps.ts"
import type { ValidatedGroup } from "../validation/validate-group.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Wanted {
  readonly owner: string
  readonly group: RuleGroup
}

/** What a resource wants, as simply as it can be said. */
export function wants({ metadata, spec }: RuleResource, tenant: string): readonly (readonly [string, Wanted])[] {
  if (metadata.deletionTimestamp !== undefined || metadata.annotations?.[DIRECTION] === "off") return []
  const { tenants, groups } = spec as { readonly tenants: readonly string[]; readonly groups: readonly RuleGroup[] }
  if (!tenants.includes(tenant)) return []
  const { namespace = "", name } = metadata
  return groups
    .filter((group) => typeof group.name === "string")
    .map((group) => [addressKey({ namespace, name: group.name }), { owner: `${namespace}/${name}`, group }])
}

/** Addresses that its ledger has, for a tenant. */
export function ownedBy({ status }: RuleResource, tenant: string): readonly string[] {
  const owned = (status?.owned ?? []).filter(({ tenants }) => tenants.includes(tenant))
  return owned.map(({ namespace, group }) => addressKey({ namespace, name: group }))
}

/** Refuses groups with a rule that says so: the world is about what is done with invalid ones, not about which these are. */
export function* validateSimply(value: unknown): Steps<ValidatedGroup> {
  yield
  const group = value as RuleGroup
  const isInvalid = group.rules.some(({ expr }) => expr === "invalid")
  const problem = {
    severity: "error",
    check: "promql/syntax",
    path: ["rules", 0, "expr"],
    message: "is invalid",
  } as const
  return { name: group.name, group: isInvalid ? undefined : group, problems: isInvalid ? [problem] : [] }
}
