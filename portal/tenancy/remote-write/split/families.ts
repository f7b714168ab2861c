import type { TenantId } from "../../tenants/tenant.ts"
import type { Route, Routing } from "../routing/routing.ts"
import { SeenNames } from "./seen-names.ts"

/** Milliseconds in which all names are noted, and how often that is so: scrapes are no more than a minute apart. */
const LISTENING = 60_000
const LISTENS_EVERY = 15 * 60_000
/** Of other requests one in so many is noted, for series that are written seldom. */
const NOTED = 32
/** Milliseconds after the last metadata for which names are noted: senders repeat it every minute. */
const WANTED = 30 * 60_000
/** Milliseconds until names that are not noted again begin to be forgotten; after twice that they are. */
const KEPT = 60 * 60_000

const MOST_NAMES = 50_000
const MOST_PAIRS = 200_000
/** Of a tenant: one that makes up names does not displace those of others. */
const MOST_OF_TENANT = 10_000
/** Longer names are not noted. */
const MOST_CHARACTERS = 300

/** What the names of series have behind that of their family, by the type of the metadata. */
const SUFFIXES: readonly (readonly string[])[] = [
  [""],
  ["", "_total", "_created"],
  [""],
  ["", "_bucket", "_sum", "_count", "_created"],
  ["", "_bucket", "_gsum", "_gcount", "_sum", "_count"],
  ["", "_sum", "_count", "_created"],
  ["", "_info"],
  [""],
]

/**
 * Which tenants have lately written series of which names. Metadata of version 1 comes without labels, in requests of its
 * own, and its help text must not reach a tenant that does not have the family.
 */
export class Families {
  #recent = new Generation()
  #older = new Generation()
  #begun: number
  #listensFrom: number
  #metadataAt: number | undefined
  #requests = 0

  /** `now` as for its methods: milliseconds of a clock that only goes forward. */
  constructor(now: number) {
    this.#begun = this.#listensFrom = now
  }

  /** Whether the names of the request at hand are to be noted: of most they need not be. */
  listens(now: number): boolean {
    if (now - this.#begun > KEPT) this.#age(now)
    const wanted = this.#metadataAt !== undefined && now - this.#metadataAt < WANTED
    if (wanted && now - this.#listensFrom >= LISTENS_EVERY) this.#listensFrom = now
    if (now - this.#listensFrom < LISTENING) return true
    return wanted && ++this.#requests % NOTED === 0
  }

  /** Names that need not be noted again. */
  get seen(): SeenNames<Route> {
    return (this.#recent.seen ??= new SeenNames())
  }

  note(name: string, tenant: TenantId, now: number): void {
    if (name.length > MOST_CHARACTERS) return
    if (this.#recent.isFull) this.#age(now)
    this.#recent.add(name, tenant)
  }

  /** Those that have series of a family; `type` is the number that metadata has for it. */
  tenantsOf(family: string, type: number, now: number): ReadonlySet<TenantId> {
    const wanted = this.#metadataAt !== undefined && now - this.#metadataAt < WANTED
    if (!wanted) this.#listensFrom = now
    this.#metadataAt = now
    const tenants = new Set<TenantId>()
    for (const suffix of SUFFIXES[type] ?? [""]) {
      const name = family + suffix
      for (const generation of [this.#recent, this.#older]) {
        for (const tenant of generation.tenants.get(name) ?? []) tenants.add(tenant)
      }
    }
    return tenants
  }

  #age(now: number): void {
    this.#older = this.#recent
    this.#older.seen = undefined
    this.#recent = new Generation()
    this.#begun = now
  }
}

class Generation {
  readonly tenants = new Map<string, Set<TenantId>>()
  seen: SeenNames<Route> | undefined
  readonly #counts = new Map<TenantId, number>()
  #pairs = 0

  get isFull(): boolean {
    return this.#pairs >= MOST_PAIRS || this.tenants.size >= MOST_NAMES
  }

  add(name: string, tenant: TenantId): void {
    const tenants = this.tenants.get(name)
    if (tenants?.has(tenant) === true) return
    const count = this.#counts.get(tenant) ?? 0
    if (count === MOST_OF_TENANT) return
    this.#counts.set(tenant, count + 1)
    this.#pairs++
    if (tenants === undefined) this.tenants.set(name, new Set([tenant]))
    else tenants.add(tenant)
  }
}

const kept = new WeakMap<Routing, Families>()

/** What is known of the tenants that a routing leads to: another one may forbid them. */
export function familiesOf(routing: Routing, now: number): Families {
  const known = kept.get(routing)
  if (known !== undefined) return known
  const families = new Families(now)
  kept.set(routing, families)
  return families
}
