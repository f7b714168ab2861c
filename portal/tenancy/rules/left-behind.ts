import type { recordEvents } from "#core/kubernetes/events.ts"
import type { Logger } from "#core/log/logger.ts"
import type { InformerMetrics } from "./metrics.ts"
import { showOwned } from "./resources/give-up.ts"
import type { RuleResource } from "./resources/rule-resource.ts"
import type { OwnedGroup } from "./resources/status.ts"
import { RULE_RESOURCES } from "./resources/watch-resources.ts"

export interface LeftBehindOptions {
  readonly log: Logger
  readonly events: Pick<ReturnType<typeof recordEvents>, "record">
  readonly metrics: Pick<InformerMetrics, "abandoned">
  /** Names of the rulers that are configured now. */
  readonly configured: () => readonly string[]
}

/** Reports, in the log and by Events, groups that stay at rulers although the informer lets go of them. */
export function reportLeftBehind({ log, events, metrics, configured }: LeftBehindOptions) {
  const report = (
    resource: RuleResource,
    owned: readonly OwnedGroup[],
    { message, event, reason }: { readonly message: string; readonly event: string; readonly reason: string },
  ): void => {
    const { namespace, name } = resource.metadata
    const left = showOwned(owned)
    log.warn({ resource: `${namespace}/${name}`, reason, left }, message)
    const note = `Groups may stay at rulers, as ${reason}: ${left}`
    events.record(RULE_RESOURCES, resource, { type: "Warning", reason: event, action: "Delete", note })
    metrics.abandoned(owned.reduce((sum, { tenants }) => sum + tenants.length, 0))
  }
  return {
    /** Of a ruler that is no longer configured. */
    forgot: (resource: RuleResource, owned: readonly OwnedGroup[]): void => {
      const reason = "the ruler is not configured, and --forget-ruler names it"
      report(resource, owned, { message: "ruler forgotten, its groups stay there", event: "RulerForgotten", reason })
    },
    /** Of a deleted resource. */
    gaveUp: (resource: RuleResource, owned: readonly OwnedGroup[], why: string): void => {
      const unknown = new Set(owned.map(({ ruler }) => ruler)).difference(new Set(configured()))
      const reason = unknown.size === 0 ? why : `${why}; not configured: ${[...unknown].join(", ")}`
      report(resource, owned, { message: "resource let go, its groups stay at rulers", event: "LetGo", reason })
    },
    /** Of a namespace that lost its labels. */
    notSelected: (namespace: string, guarded: readonly RuleResource[]): void => {
      const message = "namespace no longer selected, its groups stay at rulers, and its resources keep their finalizers"
      log.warn({ namespace, resources: guarded.length }, message)
      const note = `The namespace does not have the labels of --namespace-selector: groups stay at rulers, and deleting the resource takes --finalizer-deadline. Unless another rules-informer has it, select it again, or start with --release-namespace ${namespace}`
      for (const resource of guarded)
        events.record(RULE_RESOURCES, resource, { type: "Warning", reason: "NotSelected", action: "Select", note })
    },
  }
}
