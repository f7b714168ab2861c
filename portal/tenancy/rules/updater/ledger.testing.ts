import { isDeepStrictEqual } from "node:util"
import { keyOf } from "#core/kubernetes/resource.ts"
import { FINALIZER, type RuleResource } from "../resources/rule-resource.ts"
import type { OwnedGroup, RuleStatus } from "../resources/status.ts"
import type { Ledger } from "./ledger.ts"
import type { Point, World } from "./world.testing.ts"

type Request = <T>(point: Point, work: () => T) => Promise<T>

/** Statuses of resources as a ledger: `request` is where a test lets something happen. */
export function ledgerIn(world: World, request: Request): Ledger {
  const change = (key: string, to: (resource: RuleResource) => RuleResource): void => {
    const resource = world.resources.get(key)
    if (resource === undefined) throw new Error(`the resource ${key} is gone`)
    const changed = to(resource)
    const isGone = changed.metadata.deletionTimestamp !== undefined && changed.metadata.finalizers?.length === 0
    if (isGone) world.resources.delete(keyOf(changed))
    else world.resources.set(key, changed)
    world.deliver()
  }
  const others = ({ metadata }: RuleResource): readonly string[] =>
    (metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER)
  const withStatus = (key: string, status: RuleStatus, guarded = false) =>
    change(key, (resource) => ({
      ...resource,
      metadata: { ...resource.metadata, ...(guarded ? { finalizers: [...others(resource), FINALIZER] } : {}) },
      status: { ...resource.status, ...status },
    }))
  return {
    owned: (key) => world.resources.get(key)?.status?.owned ?? [],
    record: (key, owned: readonly OwnedGroup[]) =>
      request({ what: "record", on: key }, () => withStatus(key, { owned }, owned.length > 0)),
    report: async (key, { conditions, ...rest }) => {
      const status = { ...rest, conditions: conditions.map((one) => ({ ...one, lastTransitionTime: "" })) }
      const before = world.resources.get(key)?.status
      // what is stored already is no request
      if (before !== undefined && isDeepStrictEqual({ ...before, ...status }, before)) return
      await request({ what: "report", on: key }, () => withStatus(key, status))
    },
    release: (key) =>
      request({ what: "release", on: key }, () =>
        change(key, (resource) => ({
          ...resource,
          metadata: { ...resource.metadata, finalizers: others(resource) },
        })),
      ),
  }
}
