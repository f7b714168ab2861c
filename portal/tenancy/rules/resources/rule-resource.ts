import type { KubernetesObject } from "#core/kubernetes/resource.ts"
import type { RuleStatus } from "./status.ts"

/** An OpenMetricsRule with all that is read of it. Its CRD may be a lenient one, so `spec` is untrusted. */
export interface RuleResource extends KubernetesObject {
  readonly spec?: { readonly tenants?: unknown; readonly description?: unknown; readonly groups?: unknown }
  readonly status?: RuleStatus
}

/** Ours alone; the list of finalizers is never written as a whole. */
export const FINALIZER = "fedstack.dev/rules"

export const hasFinalizer = ({ metadata }: RuleResource): boolean => metadata.finalizers?.includes(FINALIZER) === true

/** Annotation: "true" gives a resource up although its groups could not be deleted. */
export const FORCE_DELETE = "fedstack.dev/force-delete"

/** Annotation: which of both is the source of this resource's groups: `kubernetes` (or none), `ruler`, or `off`. */
export const DIRECTION = "fedstack.dev/direction"
