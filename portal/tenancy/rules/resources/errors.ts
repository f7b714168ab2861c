import { defineError } from "#core/errors.ts"

export const resourceGone = defineError(
  "RESOURCE_GONE",
  404,
  "{resource} was deleted, or replaced by another of its name, meanwhile",
)
export const ledgerConflict = defineError(
  "LEDGER_CONFLICT",
  409,
  "the status of {resource} was changed by another client: where another rules-informer is at work, give both the same --lease-name and --lease-namespace, or no namespace in common",
)
export const noStatusSubresource = defineError(
  "NO_STATUS_SUBRESOURCE",
  404,
  "the CRD of OpenMetricsRule has no status subresource, where it is written which groups are owned: apply portal/kubernetes/openmetricsrule/customresourcedefinition.yaml",
)
