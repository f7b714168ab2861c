import { explain } from "#core/errors.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { ownedOf } from "../resources/ledger.ts"
import type { ResourceSnapshot } from "../resources/source.ts"
import type { ServingRuler } from "../ruler/open-rulers.ts"
import { Attempts } from "../updater/attempts.ts"
import type { GroupProblem } from "../updater/claims.ts"
import { SYSTEM_CLOCK } from "../updater/clock.ts"
import { DesiredState, type Place, placeKey } from "../updater/desired-state.ts"
import { inParallel } from "../updater/in-parallel.ts"
import type { Ledger } from "../updater/ledger.ts"
import type { NamespaceTemplate } from "../updater/namespace-template.ts"
import { Ownership } from "../updater/ownership.ts"
import type { Plan } from "../updater/plan.ts"
import { reconcile } from "../updater/reconcile.ts"
import { whyKept } from "../updater/why-kept.ts"
import { validateGroupInSteps } from "../validation/validate-group.ts"

export interface PlanAllOptions {
  readonly snapshot: ResourceSnapshot
  readonly rulers: readonly ServingRuler[]
  readonly template: NamespaceTemplate
  readonly adoptExisting: boolean
  readonly removes: boolean
}

export interface AllPlans {
  readonly plans: readonly Plan[]
  /** Groups that are not written because they are invalid, by resource. */
  readonly invalid: ReadonlyMap<string, readonly GroupProblem[]>
  /** Of which nothing is known. */
  readonly failures: readonly (Place & { readonly reason: string })[]
}

/** Tenants that are read at once. */
const AT_ONCE = 4

/** What the updater would do in its first cycle. Nothing is written. */
export async function planAll(options: PlanAllOptions, signal: AbortSignal): Promise<AllPlans> {
  const { snapshot, rulers, template, adoptExisting, removes } = options
  const byName = new Map(rulers.map(({ ruler }) => [ruler.name, ruler]))
  const targets = rulers.map(({ ruler, target, serves }) => ({ name: ruler.name, target, serves }))
  const desired = new DesiredState({ rulers: targets, template, validate: validateGroupInSteps })
  const ownership = new Ownership(readOnly(snapshot.resources), SYSTEM_CLOCK, signal, {
    ...{ stored: () => undefined, found: () => undefined, isForgotten: () => false, forgot: () => undefined },
  })
  for (const [key, resource] of snapshot.resources) {
    ownership.see(key, resource.metadata.uid)
    desired.set(resource)
  }
  const places = new Map([...desired.places(), ...ownership.places()].map((place) => [placeKey(place), place]))
  const plans: Plan[] = []
  const failures: (Place & { readonly reason: string })[] = []
  await inParallel([...places.values()], AT_ONCE, async (place) => {
    const ruler = byName.get(place.ruler)
    if (ruler === undefined) return
    try {
      await reconcile(
        {
          ...{ ruler, place, desired, ownership, plan: { adoptExisting }, dryRun: true },
          wait: () => undefined,
          keep: (owner) => whyKept(place, owner, { removes, snapshot, template, desired, ownership }),
          ...{ attempts: new Attempts(), clock: SYSTEM_CLOCK, mostDeletes: 0, wrote: () => undefined },
          planned: (plan) => plans.push(plan),
        },
        undefined,
        signal,
      )
    } catch (error) {
      if (signal.aborted) throw error
      failures.push({ ...place, reason: explain(error) })
    }
  })
  const invalid = new Map<string, readonly GroupProblem[]>()
  for (const [key, { faults, problems }] of desired.resources()) {
    const all = [...faults.map((problem): GroupProblem => ({ group: "", problem })), ...[...problems.values()].flat()]
    const errors = all.filter(({ problem }) => problem.severity === "error")
    if (errors.length > 0) invalid.set(key, errors)
  }
  return { plans: plans.toSorted((a, b) => (placeKey(a) < placeKey(b) ? -1 : 1)), invalid, failures }
}

/** What stands in the statuses; nothing is recorded. */
function readOnly(resources: ReadonlyMap<string, RuleResource>): Ledger {
  const refuse = (): Promise<never> => Promise.reject(new Error("nothing is recorded"))
  return {
    owned: (key) => ownedOf(resources.get(key)?.status),
    record: refuse,
    report: refuse,
    release: refuse,
  }
}
