import { Wrong } from "#core/config/settings.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { backoff } from "#core/retry/backoff.ts"
import { addressKey, type GroupAddress } from "../model/address.ts"
import type { OwnedGroup } from "../resources/status.ts"
import type { Clock } from "./clock.ts"
import { type Place, placeKey } from "./desired-state.ts"
import type { Ledger } from "./ledger.ts"
import type { OwnedAddress, PlannedOwner } from "./plan.ts"

/** Seconds in which what is recorded of a resource becomes one write: its tenants are written side by side. */
const GATHER = 0.05
/** Resources that are recorded at once. */
const AT_ONCE = 16

/** Seconds. */
const RETRY = { least: 1, most: 60 }

interface Owner {
  uid: string | undefined
  /** By ruler and address. */
  readonly groups: Map<
    string,
    { readonly ruler: string; readonly address: GroupAddress; readonly tenants: Set<TenantId> }
  >
  /** Whether the ledger may say something else. */
  isUnstored: boolean
  /** Writes that failed one after the other; a retry is on its way where there are some. */
  failures: number
  /** The resource is no longer there, so there is nothing to store in. */
  isGone: boolean
  isDeleted: boolean
  /** What the ledger still lists is nobody's. */
  isAbandoned: boolean
  /** A write that has not begun, and takes what is added until then. */
  waiting: Promise<void> | undefined
  writing: Promise<void>
}

export interface OwnershipListener {
  /** After each write of what a resource owns. */
  readonly stored: (owner: string) => void
  /** The ledger had more than was known: here, at this key of an address. */
  readonly found: (place: Place, key: string) => void
  /** Whether what was written to this ruler is nobody's by now. */
  readonly isForgotten: (ruler: string) => boolean
  /** What the ledger had of such rulers, once for each resource. */
  readonly forgot: (owner: string, left: readonly OwnedGroup[]) => void
}

type OwnedAt = Map<string, { readonly address: GroupAddress; readonly owners: Set<string> }>

/** Which resources wrote which groups: what the ledger holds, and what is on its way there. */
export class Ownership {
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #listener: OwnershipListener
  readonly #owners = new Map<string, Owner>()
  readonly #places = new Map<string, { readonly place: Place; readonly owned: OwnedAt }>()
  readonly #limit = limitConcurrency(AT_ONCE)

  constructor(ledger: Ledger, clock: Clock, signal: AbortSignal, listener: OwnershipListener) {
    this.#listener = listener
    this.#ledger = ledger
    this.#clock = clock
    this.#signal = signal
  }

  /** A resource was seen; what it owns is read once. One that took the name of another owns what that did. */
  see(key: string, uid: string | undefined): void {
    const fresh: Owner = {
      uid: undefined,
      groups: new Map(),
      isUnstored: false,
      failures: 0,
      isGone: true,
      isDeleted: false,
      isAbandoned: false,
      waiting: undefined,
      writing: DONE,
    }
    const owner = this.#owners.get(key) ?? fresh
    const isKnown = this.#owners.has(key) && owner.uid === uid
    this.#owners.set(key, owner)
    owner.isGone = false
    owner.isDeleted = false
    if (!isKnown) {
      owner.uid = uid
      owner.isAbandoned = false
      owner.isUnstored = owner.groups.size > 0
      this.#read(key, () => undefined)
      const left = this.#ledger.owned(key).filter(({ ruler }) => this.#listener.isForgotten(ruler))
      if (left.length > 0) {
        owner.isUnstored = true
        this.#listener.forgot(key, left)
      }
    }
    if (owner.isUnstored) void this.settle(new Set([key]))
  }

  #read(key: string, found: OwnershipListener["found"]): void {
    if (this.#owners.get(key)?.isAbandoned === true) return
    for (const { ruler, namespace, group, tenants } of this.#ledger.owned(key))
      for (const text of this.#listener.isForgotten(ruler) ? [] : tenants) {
        const [tenant, address] = [parseTenant(text), { namespace, name: group }]
        if (tenant instanceof Wrong || !this.#add({ ruler, tenant }, key, address)) continue
        found({ ruler, tenant }, addressKey(address))
      }
  }

  /** Another client has removed what was stored: it is stored again. */
  restore(key: string): void {
    this.#read(key, () => undefined)
    this.#unstored(key)
    void this.settle(new Set([key]))
  }

  /** The resource is no longer there. What it owned is remembered until it is deleted at the rulers, or another's. */
  lose(key: string, isDeleted: boolean): void {
    const owner = this.#owners.get(key)
    if (owner === undefined) return
    owner.isGone = true
    owner.isDeleted = isDeleted
    if (owner.groups.size === 0) this.#owners.delete(key)
  }

  /** The resource is no longer there, and was seen to be deleted. */
  isDeleted(key: string): boolean {
    return this.#owners.get(key)?.isDeleted === true
  }

  /** Its groups stay where they are, and are nobody's. */
  abandon(key: string): void {
    const owner = this.#owners.get(key)
    if (owner !== undefined) owner.isAbandoned = true
    for (const [place, , address] of [...this.of(key)]) this.drop(place, [{ key: "", owner: key, address }])
    void this.settle(new Set([key]))
  }

  at(place: Place): ReadonlyMap<string, OwnedAddress> {
    return this.#places.get(placeKey(place))?.owned ?? new Map<string, OwnedAddress>()
  }

  places(): Iterable<Place> {
    return this.#places.values().map(({ place }) => place)
  }

  /** Nothing is owned, and the ledger says so. */
  isFree(key: string): boolean {
    const owner = this.#owners.get(key)
    return owner === undefined || (owner.groups.size === 0 && !owner.isUnstored)
  }

  /** What the resource owns, by place. */
  *of(key: string): Generator<readonly [Place, string, GroupAddress]> {
    for (const { ruler, address, tenants } of this.#owners.get(key)?.groups.values() ?? [])
      for (const tenant of tenants) yield [{ ruler, tenant }, addressKey(address), address]
  }

  /** Resolves, with the failure of each resource that has one, when what will be written is in the ledger. */
  async claim(place: Place, owners: readonly PlannedOwner[]): Promise<ReadonlyMap<string, unknown>> {
    const added = owners.filter(({ owner, address }) => this.#add(place, owner, address))
    for (const { owner } of added) this.#unstored(owner)
    const failures = await this.settle(new Set(owners.map(({ owner }) => owner)))
    this.drop(
      place,
      added.filter(({ owner }) => failures.has(owner)),
    )
    return failures
  }

  /** What is no longer at the ruler, or another's; it is in the ledger until `settle`. */
  drop(place: Place, owners: readonly PlannedOwner[]): void {
    for (const { owner, address } of owners) if (this.#remove(place, owner, address)) this.#unstored(owner)
  }

  /** Stores what these resources own where the ledger may say something else; failures, that are the result, are retried. */
  async settle(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, unknown>> {
    const failures = new Map<string, unknown>()
    const store = (key: string) => this.#store(key).catch((error: unknown) => failures.set(key, error))
    await Promise.all([...keys].map(store))
    return failures
  }

  #store(key: string): Promise<void> {
    const owner = this.#owners.get(key)
    if (owner === undefined || !owner.isUnstored) return Promise.resolve()
    if (owner.waiting !== undefined) return owner.waiting
    const before = owner.writing
    const write = async (): Promise<void> => {
      await Promise.allSettled([before, this.#clock.pause(GATHER, this.#signal)])
      await this.#limit(async () => {
        owner.waiting = undefined
        if (owner.isGone) return
        owner.isUnstored = false
        try {
          await this.#ledger.record(key, listOf(owner), this.#signal)
          owner.failures = 0
          this.#listener.stored(key)
        } catch (error) {
          owner.isUnstored = true
          // a watch that was late when the lease was taken over
          this.#read(key, (place, address) => this.#listener.found(place, address))
          owner.failures += 1
          if (owner.failures === 1) void this.#retry(key, owner)
          throw error
        }
      })
    }
    owner.waiting = write()
    owner.writing = owner.waiting
    return owner.waiting
  }

  async #retry(key: string, owner: Owner): Promise<void> {
    while (owner.failures > 0 && !owner.isGone && !this.#signal.aborted) {
      await this.#clock.pause(backoff(owner.failures, RETRY), this.#signal)
      if (owner.failures > 0 && !this.#signal.aborted) await this.#store(key).catch(() => undefined)
    }
    owner.failures = 0
  }

  #unstored(key: string): void {
    const owner = this.#owners.get(key)
    if (owner !== undefined) owner.isUnstored = true
  }

  #add(place: Place, key: string, address: GroupAddress): boolean {
    const owner = this.#owners.get(key)
    if (owner === undefined) return false
    const id = groupId(place, address)
    const group = owner.groups.get(id) ?? { ruler: place.ruler, address, tenants: new Set<TenantId>() }
    owner.groups.set(id, group)
    if (group.tenants.has(place.tenant)) return false
    group.tenants.add(place.tenant)
    const at = this.#places.get(placeKey(place)) ?? { place, owned: new Map() as OwnedAt }
    this.#places.set(placeKey(place), at)
    const entry = at.owned.get(addressKey(address)) ?? { address, owners: new Set<string>() }
    at.owned.set(addressKey(address), entry)
    entry.owners.add(key)
    return true
  }

  #remove(place: Place, key: string, address: GroupAddress): boolean {
    const owner = this.#owners.get(key)
    const group = owner?.groups.get(groupId(place, address))
    if (owner === undefined || group?.tenants.delete(place.tenant) !== true) return false
    if (group.tenants.size === 0) owner.groups.delete(groupId(place, address))
    if (owner.isGone && owner.groups.size === 0) this.#owners.delete(key)
    const owned = this.#places.get(placeKey(place))?.owned
    const entry = owned?.get(addressKey(address))
    entry?.owners.delete(key)
    if (entry?.owners.size === 0) owned?.delete(addressKey(address))
    if (owned?.size === 0) this.#places.delete(placeKey(place))
    return true
  }
}

const DONE = Promise.resolve()

const groupId = ({ ruler }: Place, address: GroupAddress): string => JSON.stringify([ruler, addressKey(address)])

/** In an order of its own, so that the same is the same text. */
function listOf({ groups }: Owner): readonly OwnedGroup[] {
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([, { ruler, address, tenants }]) => ({
    ...{ ruler, namespace: address.namespace, group: address.name, tenants: [...tenants].toSorted() },
  }))
}
