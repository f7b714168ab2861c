import type { TenantId } from "../../tenants/tenant.ts"

/** A tenant that gets a series. */
export interface Destination {
  readonly tenant: TenantId
  /**
   * The label that is left out of what this tenant gets, as an index of `tenantLabels`: the one that named the tenant. A
   * tenant by default keeps it, or series of several tenants would become one there. Undefined: none is left out.
   */
  readonly strip: number | undefined
  /** A default tenant that gets the series beside those that its labels name. */
  readonly replica?: true
}

/** Where a series goes, or why nowhere. */
export type Route =
  | {
      /** At least one; each tenant once. */
      readonly destinations: readonly Destination[]
      /** Whether it has no label that names a tenant, and so goes to the default tenants only: for metrics. */
      readonly byDefault: boolean
      /** Why a label of it counts as missing, though it names a tenant: this one is not accepted. */
      readonly ignored?: string
    }
  /** For a person: what is wrong and what to do. `tenant` is a name to group by, shortened and safe to print, or empty. */
  | { readonly refused: string; readonly tenant: string }

/** Which tenants series belong to. It is replaced as a whole when the allow list changes. */
export interface Routing {
  /** Names of the labels that decide, in their order. */
  readonly tenantLabels: readonly string[]
  /** Series that have all of these, such as `cluster` and `__replica__`, share no upstream request with others; or none. */
  readonly groupLabels: readonly string[]
  /** Tenants a request may be for. */
  readonly mostTenants: number
  /**
   * Where a series goes that has these values in `tenantLabels`: undefined where it lacks the label. It depends on nothing
   * else, so callers may keep what it returns for as long as they keep the routing.
   */
  route(values: readonly (string | undefined)[]): Route
}
