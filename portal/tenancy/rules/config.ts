import { hostname } from "node:os"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"
import type { NamespaceScope } from "./resources/watch-resources.ts"
import type { RulesInformerValues } from "./settings.ts"

/** Of which namespaces; `own` is that of the pod or the context. Throws UsageError where two settings contradict each other. */
export function scopeOf(
  {
    allNamespaces,
    namespaces,
    namespaceSelector,
  }: Pick<RulesInformerValues, "allNamespaces" | "namespaces" | "namespaceSelector">,
  own: string,
): NamespaceScope {
  const faults = new Faults()
  if (allNamespaces && namespaces.length > 0) faults.add("--namespace", "has no effect with --all-namespaces")
  if (namespaceSelector !== undefined && namespaces.length > 0)
    faults.add("--namespace", "has no effect with --namespace-selector")
  if (namespaceSelector !== undefined && allNamespaces)
    faults.add("--all-namespaces", "has no effect with --namespace-selector")
  faults.orThrow(UsageError)
  if (namespaceSelector !== undefined) return { labelSelector: namespaceSelector }
  if (allNamespaces) return "all"
  return namespaces.length > 0 ? namespaces : [own]
}

/** Throws UsageError where a deleted resource would be let go before its groups may be deleted. */
export function checkDeletionTimes({
  deletionGrace,
  finalizerDeadline,
}: Pick<RulesInformerValues, "deletionGrace" | "finalizerDeadline">): void {
  const faults = new Faults()
  if (2 * deletionGrace > finalizerDeadline)
    faults.add(
      "--deletion-grace",
      "must be at most half of --finalizer-deadline: deleted resources would be let go with their groups at the ruler",
    )
  faults.orThrow(UsageError)
}

/** In a pod the same after a restart of the container, which then goes on at once; elsewhere of this process alone. */
export const identityOf = ({ leaseIdentity }: RulesInformerValues): string =>
  leaseIdentity ?? `${hostname()}_${process.pid}`
