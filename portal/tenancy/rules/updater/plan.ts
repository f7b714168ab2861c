import type { TenantId } from "../../tenants/tenant.ts"
import type { GroupAddress } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import { sameButDropped, sameGroup } from "../model/same-group.ts"
import type { RulerLimits, TenantGroups } from "../ruler/ruler.ts"
import type { Claim } from "./claims.ts"
import { bySeniority, type PlaceClaims } from "./desired-state.ts"

/** A group that resources wrote. */
export interface OwnedAddress {
  readonly address: GroupAddress
  readonly owners: ReadonlySet<string>
}

export interface PlanInput extends PlanOptions {
  readonly ruler: string
  readonly tenant: TenantId
  readonly desired: PlaceClaims
  /** By the key of the address. */
  readonly owned: ReadonlyMap<string, OwnedAddress>
  /** What the ruler holds; of `scope`, where there is one. */
  readonly present: TenantGroups
  /** Keys of addresses; undefined: all. */
  readonly scope: ReadonlySet<string> | undefined
  readonly limits: RulerLimits
}

export interface PlanOptions {
  /** Why what this resource wrote and no longer wants is not deleted; undefined: it may be. */
  readonly keep: (owner: string) => string | undefined
  /** Why a group that no resource wants is not deleted yet; undefined: it is time. */
  readonly wait: (key: string, owners: readonly string[]) => string | undefined
  /** Overwrites groups that no resource wrote. */
  readonly adoptExisting: boolean
}

export interface PlannedOwner {
  readonly key: string
  readonly address: GroupAddress
  readonly owner: string
}

export interface PlannedWrite extends PlannedOwner {
  /** As in the claim. */
  readonly since: string
  readonly group: RuleGroup
  /** What stands there now. */
  readonly before: RuleGroup | undefined
}

export interface PlannedDelete {
  readonly key: string
  readonly address: GroupAddress
  readonly owners: readonly string[]
  readonly before: RuleGroup
}

/** A group that is not written although it is wanted, or not deleted although it is not. */
export interface NotDone extends PlannedOwner {
  readonly reason:
    "AnotherResourceHasIt" | "ExistingGroup" | "TooManyGroups" | "TooManyRules" | "DeletionHeldBack" | "DeletionWaits"
  /** One sentence without a final stop. */
  readonly message: string
}

/** What makes the ruler hold what is desired, for one tenant. */
export interface Plan {
  readonly ruler: string
  readonly tenant: TenantId
  readonly creates: readonly PlannedWrite[]
  readonly updates: readonly PlannedWrite[]
  /** Groups that stand there as they are wanted, and belonged to nobody, or to another resource, until now. */
  readonly adoptions: readonly (PlannedOwner & { readonly group: RuleGroup })[]
  readonly deletes: readonly PlannedDelete[]
  readonly notDone: readonly NotDone[]
  /** What stands in the ledger, and belongs to another resource by now or is no longer at the ruler. */
  readonly gone: readonly PlannedOwner[]
  /** `group`: undefined where it is the last good state of one that is invalid now. */
  readonly unchanged: readonly (PlannedOwner & { readonly group: RuleGroup | undefined })[]
}

const NOTHING = { creates: [], updates: [], adoptions: [], deletes: [], notDone: [], gone: [], unchanged: [] }

type Draft = { readonly [Part in keyof typeof NOTHING]: Plan[Part][number][] }

/** Pure: the same input gives the same plan. */
export function planOf(input: PlanInput): Plan {
  const { ruler, tenant, desired, owned, present, scope } = input
  const plan: Draft = structuredClone(NOTHING)
  for (const key of scope ?? new Set([...desired.keys(), ...owned.keys()])) {
    const claims = desired.get(key) ?? []
    const address = claims[0]?.address ?? owned.get(key)?.address
    if (address === undefined) continue
    const before = present.get(address.namespace)?.get(address.name)
    planAddress(input, plan, { key, address, claims, owners: [...(owned.get(key)?.owners ?? [])], before })
  }
  limitCreates(plan, input)
  return { ruler, tenant, ...plan }
}

interface Situation {
  readonly key: string
  readonly address: GroupAddress
  readonly claims: readonly Claim[]
  readonly owners: readonly string[]
  readonly before: RuleGroup | undefined
}

function planAddress(input: PlanInput, plan: Draft, { key, address, claims, owners, before }: Situation): void {
  const notDone = (owner: string, reason: NotDone["reason"], message: string): void => {
    plan.notDone.push({ key, address, owner, reason, message })
  }
  const gone = (all: readonly string[]): void => {
    plan.gone.push(...all.map((owner) => ({ key, address, owner })))
  }
  for (const { owner, group } of claims) {
    const message = tooManyRules(group, input.limits)
    if (message !== undefined) notDone(owner, "TooManyRules", message)
  }
  const isWritable = ({ group }: Claim) => group !== undefined && tooManyRules(group, input.limits) === undefined
  // what is invalid keeps its address only where it was written before
  const winner = claims.find((claim) => isWritable(claim) || (before !== undefined && owners.includes(claim.owner)))
  for (const claim of claims)
    if (claim !== winner && isWritable(claim))
      notDone(
        claim.owner,
        "AnotherResourceHasIt",
        `${winner?.owner ?? ""}, which is older, has a group of this name in this namespace of the ruler: rename one of them`,
      )

  if (winner === undefined) {
    if (before === undefined) return gone(owners)
    const kept = owners.flatMap((owner) => {
      const why = input.keep(owner)
      return why === undefined ? [] : [[owner, why] as const]
    })
    for (const [owner, why] of kept) notDone(owner, "DeletionHeldBack", why)
    if (kept.length > 0) return gone(owners.filter((owner) => !kept.some(([other]) => other === owner)))
    if (owners.length === 0) return
    const why = input.wait(key, owners)
    if (why === undefined) plan.deletes.push({ key, address, owners, before })
    else for (const owner of owners) notDone(owner, "DeletionWaits", why)
    return
  }

  const { owner, since, group } = winner
  const others = owners.filter((other) => other !== owner)
  if (group === undefined || !isWritable(winner)) {
    plan.unchanged.push({ key, address, owner, group: undefined })
    return gone(others)
  }
  const write = { key, address, owner, since, group, before }
  if (before === undefined) plan.creates.push(write)
  else if (isSame(before, group)) {
    if (owners.includes(owner)) plan.unchanged.push({ key, address, owner, group })
    else plan.adoptions.push({ key, address, owner, group })
  } else if (owners.length > 0 || input.adoptExisting || sameButDropped(before, group)) plan.updates.push(write)
  else return notDone(owner, "ExistingGroup", EXISTING)
  gone(others)
}

const EXISTING =
  "the ruler has another group of this name that no resource wrote: rename one of them, delete that one, or start with --adopt-existing-groups"

function tooManyRules(group: RuleGroup | undefined, { rulesPerGroup: most }: RulerLimits): string | undefined {
  if (most === undefined || group === undefined || group.rules.length <= most) return undefined
  return `has ${group.rules.length} rules, and the ruler takes at most ${most} in a group: split it, or raise its limit`
}

/** What finds no room is left out, the youngest first; where groups are deleted now, it may follow these. */
function limitCreates(plan: Draft, { limits: { groups: most }, present }: PlanInput): void {
  if (most === undefined || plan.creates.length === 0) return
  const count = [...present.values()].reduce((sum, groups) => sum + groups.size, 0)
  const message = `the ruler takes at most ${most} groups of this tenant and has ${count}: delete some, or raise its limit`
  plan.creates.sort(bySeniority)
  for (const { key, address, owner } of plan.creates.splice(Math.max(0, most - count))) {
    plan.notDone.push({ key, address, owner, reason: "TooManyGroups", message })
    plan.gone.push({ key, address, owner })
  }
}

/** By what a ruler holds, what was found to mean the same: most comparisons are of what did not change since the last one. */
const found = new WeakMap<RuleGroup, RuleGroup>()

function isSame(present: RuleGroup, desired: RuleGroup): boolean {
  if (found.get(present) === desired) return true
  const same = sameGroup(present, desired)
  if (same) found.set(present, desired)
  return same
}
