/** `status` of an OpenMetricsRule, which people read and which is the ledger of what was written. */
export interface RuleStatus {
  readonly observedGeneration?: number
  /** Accepted, and Synced: True where every tenant holds every valid group. */
  readonly conditions?: readonly Condition[]
  /** Those that are not in sync first; bounded, `tenantsNotShown` are left out. */
  readonly tenants?: readonly TenantStatus[]
  readonly tenantsNotShown?: number
  /** Of groups that are not written, or not as they stand here; bounded in number and length. */
  readonly problems?: readonly ShownProblem[]
  /** The ledger: groups that were written, or are about to be, and so may be changed and deleted. */
  readonly owned?: readonly OwnedGroup[]
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/ meta/v1 Condition */
export interface Condition {
  readonly type: "Accepted" | "Synced"
  readonly status: "True" | "False" | "Unknown"
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
}

export interface TenantStatus {
  readonly tenant: string
  readonly ruler: string
  readonly synced: boolean
  readonly reason?: string
  readonly message?: string
}

export interface ShownProblem {
  readonly group: string
  /** `rules[3].expr`, and for expressions the character, from 1. */
  readonly where: string
  readonly severity: string
  readonly message: string
}

/** One group name in one namespace of a ruler, for as many tenants as have it: 20 tenants take one entry. */
export interface OwnedGroup {
  readonly ruler: string
  readonly namespace: string
  readonly group: string
  readonly tenants: readonly string[]
}

/** What a cycle found, as it is reported; the ledger knows when a condition changed. */
export interface ReportedStatus extends Omit<RuleStatus, "owned" | "conditions"> {
  readonly conditions: readonly Omit<Condition, "lastTransitionTime">[]
}

/** Another client has removed what is reported, or the ledger, which are never removed here. */
export const isStatusLost = (before: RuleStatus | undefined, after: RuleStatus | undefined): boolean =>
  (["conditions", "owned"] as const).some((part) => before?.[part] !== undefined && after?.[part] === undefined)
