import type { TenantId } from "../../tenants/tenant.ts"

/** How series find their tenants. Plain data: it can be handed to a worker. */
export interface RoutingConfig {
  /** In their order; each once. */
  readonly tenantLabels: readonly string[]
  /** Whether each of these labels that a series has adds a tenant, or only the first of them. */
  readonly labelMode: "all" | "first"
  /** A regular expression of RE2 with one capture, which the whole value of a label must match. */
  readonly pattern: string | undefined
  /** Before what the label's value, or the capture in it, gives. */
  readonly prefix: string
  readonly strip: boolean
  readonly groupLabels: readonly string[]
  readonly defaultTenants: readonly TenantId[]
  /** Whether the default tenants get every series, or only those of no other tenant. */
  readonly fullReplication: boolean
  /** Whether a label with a tenant outside of the allow list is as if it was missing, or a reason to refuse the series. */
  readonly unknownTenants: "ignore" | "refuse"
  readonly mostTenants: number
}

/** Tenants of labels that are accepted; undefined: every valid one. */
export type AllowedTenants = ReadonlySet<TenantId> | undefined
