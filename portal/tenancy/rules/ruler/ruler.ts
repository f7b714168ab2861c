import type { GroupAddress } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import type { TenantId } from "../../tenants/tenant.ts"

/** All groups of a tenant: by namespace of the ruler, then by name. */
export type TenantGroups = ReadonlyMap<string, ReadonlyMap<string, RuleGroup>>

/** undefined: no limit, or none that can be read. */
export interface RulerLimits {
  readonly groups: number | undefined
  readonly rulesPerGroup: number | undefined
}

/**
 * The configuration API of one ruler (Cortex or Mimir). Every method throws RulerError where the response is not one of
 * those that mean what is promised here: what could not be read is never taken for "no rules".
 */
export interface Ruler {
  /** In settings, logs, metrics and the ledger. */
  readonly name: string
  list(tenant: TenantId, signal: AbortSignal): Promise<TenantGroups>
  /** One group; undefined only where the ruler says that there is none. */
  get(tenant: TenantId, address: GroupAddress, signal: AbortSignal): Promise<RuleGroup | undefined>
  /** Creates or replaces it. */
  set(tenant: TenantId, namespace: string, group: RuleGroup, signal: AbortSignal): Promise<void>
  /** A group that is not there is no error. */
  delete(tenant: TenantId, address: GroupAddress, signal: AbortSignal): Promise<void>
  limits(tenant: TenantId, signal: AbortSignal): Promise<RulerLimits>
  /** Tenants with rules, idle ones too; or active ones, where only these can be listed. Undefined where none can. */
  tenants(signal: AbortSignal): Promise<ReadonlySet<TenantId> | undefined>
}
