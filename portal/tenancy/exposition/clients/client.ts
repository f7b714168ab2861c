import type { Client, ClientPolicy } from "#core/federation/client.ts"
import type { Accesses } from "#core/federation/upstreams/access.ts"
import type { TenantId } from "../../tenants/tenant.ts"

/** A client, and the tenants whose series it may read. */
export interface TenantClient extends Client {
  /** None, where its token names the tenant and does not yet: then it reads nothing. */
  readonly tenants: readonly TenantId[]
}

/** Who may read what of which tenants, and from where. */
export interface TenantPolicy extends ClientPolicy<TenantClient> {
  /** Of Cortex or Mimir, with the prefix of their Prometheus API; tried in order. */
  readonly upstreams: readonly URL[]
  readonly accesses: Accesses
  /** Seconds: a series without a sample in them is not shown. */
  readonly lookBack: number
  /** Whether samples have the times of the store, rather than that of the scrape. */
  readonly timestamps: boolean
}
