import type { GroupAddress } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import type { RulerLimits, TenantGroups } from "../ruler/ruler.ts"
import { type Applied, type ApplyOptions, applyPlan } from "./apply-plan.ts"
import { inParallel } from "./in-parallel.ts"
import { type Plan, planOf, type PlanOptions } from "./plan.ts"

export interface ReconcileOptions extends ApplyOptions {
  readonly plan: Omit<PlanOptions, "keep" | "wait">
  /** Only plans. */
  readonly dryRun: boolean
  readonly planned: (plan: Plan) => void
}

/** Single groups that are read at once. */
const AT_ONCE = 4

const NO_LIMITS: RulerLimits = { groups: undefined, rulesPerGroup: undefined }

/** One tenant at one ruler: reads, plans, writes. `wanted`: keys of addresses; undefined: all. Throws where it cannot read. */
export async function reconcile(
  options: ReconcileOptions,
  wanted: ReadonlySet<string> | undefined,
  signal: AbortSignal,
): Promise<Applied> {
  const { ruler, place, desired, ownership } = options
  const { tenant } = place
  const addresses = wanted && addressesOf(options, wanted)
  // what is claimed after this was read is not to be taken for absent; its change begins another cycle
  const scope = new Set(addresses?.keys() ?? [...desired.at(place).keys(), ...ownership.at(place).keys()])
  const present = addresses ? await readEach(options, addresses.values(), signal) : await ruler.list(tenant, signal)
  signal.throwIfAborted()
  const plan = (limits: RulerLimits): Plan =>
    planOf({
      ...{ ...options.plan, keep: options.keep, wait: options.wait, ruler: ruler.name, tenant, scope, present, limits },
      ...{ desired: desired.at(place), owned: ownership.at(place) },
    })
  const draft = plan(NO_LIMITS)
  // limits matter to what is written alone, so a cycle without writes is one request
  if (draft.creates.length + draft.updates.length === 0) return finish(options, draft, signal)
  const limits = await ruler.limits(tenant, signal)
  signal.throwIfAborted()
  // how many groups there are is known from a list alone
  if (limits.groups !== undefined && wanted !== undefined && draft.creates.length > 0)
    return reconcile(options, undefined, signal)
  return finish(options, plan(limits), signal)
}

function finish(options: ReconcileOptions, plan: Plan, signal: AbortSignal): Promise<Applied> | Applied {
  options.planned(plan)
  if (!options.dryRun) return applyPlan(options, plan, signal)
  return { unsynced: plan.notDone, fault: undefined, isMoreToDo: false, isRoomMade: false, owners: new Set() }
}

/** By their keys; a key that nothing claims or owns has none. */
function addressesOf({ place, desired, ownership }: ReconcileOptions, keys: ReadonlySet<string>) {
  const [claims, owned] = [desired.at(place), ownership.at(place)]
  return new Map(
    [...keys].flatMap((key): readonly (readonly [string, GroupAddress])[] => {
      const address = claims.get(key)?.[0].address ?? owned.get(key)?.address
      return address === undefined ? [] : [[key, address]]
    }),
  )
}

async function readEach(
  { ruler, place }: ReconcileOptions,
  addresses: Iterable<GroupAddress>,
  signal: AbortSignal,
): Promise<TenantGroups> {
  const found = new Map<string, Map<string, RuleGroup>>()
  await inParallel([...addresses], AT_ONCE, async (address) => {
    const group = await ruler.get(place.tenant, address, signal)
    if (group === undefined) return
    const groups = found.get(address.namespace) ?? new Map<string, RuleGroup>()
    found.set(address.namespace, groups.set(address.name, group))
  })
  return found
}
