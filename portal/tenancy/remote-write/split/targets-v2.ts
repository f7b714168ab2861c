import type { Routing } from "../routing/routing.ts"
import { MOST_TARGETS } from "./bounds.ts"
import { LACKS, ReferenceLookup } from "./lookup-v2.ts"
import type { RejectionKind } from "./rejections.ts"
import { routeOf } from "./routes.ts"
import { groupOf, SliceNumbers } from "./slice-numbers.ts"
import type { Symbols } from "./symbols.ts"

/** In place of the index of a tenant label: none is left out. */
export const NO_STRIP = -1

/** Where series go. */
export interface Target {
  /** Why nowhere, for a person. */
  readonly refused: string | undefined
  /** Of what is wrong where it is refused; else of what else may be wrong with a series. */
  readonly kind: RejectionKind
  /** The first of its tenants, or whom the refusal is about; empty where it is no tenant's. */
  readonly tenant: string
  /** Numbers of slices, and for each the tenant label that the series is without there. */
  readonly slices: readonly number[]
  readonly strips: readonly number[]
  /** Whether no label gives a tenant. */
  readonly byDefault: boolean
  /** Why a label of it counts as missing, though it names a tenant. */
  readonly ignored: string | undefined
}

/** Targets of the series of one message, by the references of the values that decide. */
export class TargetsV2 {
  readonly numbers: SliceNumbers
  readonly #symbols: Symbols
  readonly #routing: Routing
  readonly #lookup: ReferenceLookup<Target>

  constructor(symbols: Symbols, routing: Routing) {
    this.#symbols = symbols
    this.#routing = routing
    const { mostTenants } = routing
    this.numbers = new SliceNumbers(mostTenants)
    const refused = "the labels that name its tenant have too many values in this request"
    const surplus = refusal({ refused, tenant: "" }, "too_many_tenants")
    this.#lookup = new ReferenceLookup(Math.max(MOST_TARGETS, 4 * mostTenants), surplus, (values) => this.#make(values))
  }

  /** `values`: references of the tenant labels' values and after them of the group labels'; `LACKS` where there is none. */
  find(values: Int32Array): Target {
    return this.#lookup.get(values)
  }

  #make(values: Int32Array): Target {
    const texts = Array.from(values, (value) => (value === LACKS ? undefined : this.#symbols.text(value)))
    const { tenantLabels } = this.#routing
    const route = routeOf(this.#routing, texts.slice(0, tenantLabels.length))
    if ("refused" in route) return refusal(route, "tenant")
    const slices = this.numbers.find(route.destinations, groupOf(texts.slice(tenantLabels.length)))
    if ("refused" in slices) return refusal(slices, "too_many_tenants")
    const strips = route.destinations.map(({ strip }) => strip ?? NO_STRIP)
    const { destinations, byDefault, ignored } = route
    const tenant = destinations[0]?.tenant ?? ""
    return { refused: undefined, kind: "malformed", tenant, slices, strips, byDefault, ignored }
  }
}

interface Refused {
  readonly refused: string
  readonly tenant: string
}

const refusal = ({ refused, tenant }: Refused, kind: RejectionKind): Target => ({
  ...{ refused, kind, tenant },
  ...{ slices: [], strips: [], byDefault: false, ignored: undefined },
})
