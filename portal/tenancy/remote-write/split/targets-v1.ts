import type { TenantId } from "../../tenants/tenant.ts"
import type { Route, Routing } from "../routing/routing.ts"
import { MOST_TARGETS } from "./bounds.ts"
import type { RejectionKind } from "./rejections.ts"
import { routeOf } from "./routes.ts"
import { groupOf, SliceNumbers } from "./slice-numbers.ts"
import { ValueIndex } from "./value-index.ts"

/** Where a series goes: the numbers of its slices, and for each the watched label that it is without there, or -1. */
export interface Target {
  readonly refused: string | undefined
  /** Of what is wrong where it is refused; else of what else may be wrong with a series. */
  readonly kind: RejectionKind
  /** The first of them, or whom a refusal is about. */
  readonly tenant: string
  readonly slices: readonly number[]
  readonly strips: readonly number[]
  /** Whether no label gives a tenant. */
  readonly byDefault: boolean
  /** Why a label of it counts as missing, though it names a tenant. */
  readonly ignored: string | undefined
  /** The same for the same values in all requests, as a rule; undefined where it is refused. */
  readonly route: Route | undefined
  /** That of its values. */
  readonly number: number
}

/** What is kept of a routing from request to request. */
const indexes = new WeakMap<Routing, ValueIndex>()

/** Targets of the series of one request, by the values of the labels that decide. */
export class Targets {
  readonly numbers: SliceNumbers
  readonly #routing: Routing
  readonly #index: ValueIndex
  readonly #first: number
  readonly #targets: (Target | undefined)[] = []
  /** Of values that the index does not keep. */
  readonly #others = new Map<string, Target>()
  readonly #most: number
  #made = 0

  /** The watched labels from `first` on are those of the tenant, and after them those of the group. */
  constructor(routing: Routing, first: number) {
    this.numbers = new SliceNumbers(routing.mostTenants)
    this.#most = Math.max(MOST_TARGETS, 4 * routing.mostTenants)
    this.#routing = routing
    this.#first = first
    const known = indexes.get(routing)
    this.#index = known === undefined || known.isFull ? new ValueIndex() : known
    indexes.set(routing, this.#index)
  }

  /** `found` as the reader of series has it; the values are UTF-8. */
  find(message: Buffer, found: Int32Array): Target {
    const entry = this.#index.find(message, found, this.#first)
    const known = this.#targets[entry]
    if (known !== undefined) return known
    // whatever it would be: a look at it costs more than all else
    if (this.#made === this.#most) return SURPLUS
    const values: (string | undefined)[] = []
    for (let at = 4 * this.#first; at < found.length; at += 4) {
      const value = message.toString("utf8", found[at + 2], found[at + 3])
      // one that is empty is none, as everywhere in Prometheus
      values.push(value === "" ? undefined : value)
    }
    if (entry >= 0) return (this.#targets[entry] = this.#make(values, entry))
    const key = JSON.stringify(values)
    const other = this.#others.get(key) ?? this.#make(values, entry)
    this.#others.set(key, other)
    return other
  }

  #make(values: readonly (string | undefined)[], number: number): Target {
    this.#made++
    const tenantLabels = this.#routing.tenantLabels.length
    const route = routeOf(this.#routing, values.slice(0, tenantLabels))
    if ("refused" in route) return refusal(route, "tenant")
    const slices = this.numbers.find(route.destinations, groupOf(values.slice(tenantLabels)))
    if ("refused" in slices) return refusal(slices, "too_many_tenants")
    const tenant: TenantId | "" = route.destinations[0]?.tenant ?? ""
    const strips = route.destinations.map(({ strip }) => (strip === undefined ? -1 : this.#first + strip))
    const { byDefault, ignored } = route
    return { refused: undefined, kind: "malformed", tenant, slices, strips, byDefault, ignored, route, number }
  }
}

interface Refused {
  readonly refused: string
  readonly tenant: string
}

const refusal = ({ refused, tenant }: Refused, kind: RejectionKind): Target => ({
  ...{ refused, kind, tenant, slices: [], strips: [] },
  ...{ byDefault: false, ignored: undefined, route: undefined, number: 0 },
})

/** In place of the target of values beyond the most. */
const SURPLUS = refusal(
  { refused: "the labels that name its tenant have too many values in this request", tenant: "" },
  "too_many_tenants",
)
