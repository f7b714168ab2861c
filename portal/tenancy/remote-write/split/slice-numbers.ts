import type { TenantId } from "../../tenants/tenant.ts"
import type { Destination } from "../routing/routing.ts"

/** In place of the numbers: a request would have more slices than it may have. */
export interface TooMany {
  readonly refused: string
  readonly tenant: TenantId
}

/** Numbers the slices of a request: one for each tenant and group. */
export class SliceNumbers {
  readonly slices: { readonly tenant: TenantId; readonly group: string }[] = []
  readonly #most: number
  readonly #numbers = new Map<string, number>()

  /** `most`: of slices, for each may become an upstream request. */
  constructor(most: number) {
    this.#most = most
  }

  /** One number for each destination. `group` is what `groupOf` makes of the values. */
  find(destinations: readonly Destination[], group: string): readonly number[] | TooMany {
    const created = destinations.filter(({ tenant }) => !this.#numbers.has(keyOf(tenant, group)))
    const [surplus] = created
    if (surplus !== undefined && this.slices.length + created.length > this.#most) {
      const refused = `a request may be for at most ${this.#most} tenants, and this one is for more`
      return { refused, tenant: surplus.tenant }
    }
    return destinations.map(({ tenant }) => this.#number(tenant, group))
  }

  #number(tenant: TenantId, group: string): number {
    const key = keyOf(tenant, group)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.slices.length)
    return this.slices.push({ tenant, group }) - 1
  }
}

/** No id has a space. */
const keyOf = (tenant: TenantId, group: string): string => `${tenant} ${group}`

/**
 * A name for the values of the group's labels that no other values have. It is empty where one is missing: only what has
 * both a cluster and a replica is one of several replicas, for Cortex and Mimir too.
 */
export const groupOf = (values: readonly (string | undefined)[]): string =>
  values.length === 0 || values.includes(undefined) ? "" : JSON.stringify(values)
