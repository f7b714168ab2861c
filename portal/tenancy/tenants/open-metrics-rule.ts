import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"

/** What is read of it here. Its CRD may be the original's, which leaves everything unchecked. */
export interface OpenMetricsRule extends KubernetesObject {
  readonly spec?: { readonly tenants?: unknown }
}

/** portal/kubernetes/openmetricsrule/customresourcedefinition.yaml */
export const OPEN_METRICS_RULES: Resource<OpenMetricsRule> = {
  group: "open-metrics.vgs.io",
  version: "v1",
  plural: "openmetricsrules",
  kind: "OpenMetricsRule",
}
