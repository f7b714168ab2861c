import { keyOf } from "#core/kubernetes/resource.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { finish, type Steps } from "../validation/steps.ts"
import { type Claim, claimsOf, type ClaimsOptions, type ResourceClaims } from "./claims.ts"

/** The rules of a tenant at a ruler. */
export interface Place {
  readonly ruler: string
  readonly tenant: TenantId
}

/** All claims by address, the oldest first. */
export type PlaceClaims = ReadonlyMap<string, readonly [Claim, ...Claim[]]>

/** Where something changed: at a place, the keys of addresses. */
export type Touched = ReadonlyMap<string, { readonly place: Place; readonly keys: ReadonlySet<string> }>

export const placeKey = ({ ruler, tenant }: Place): string => `${tenant} ${ruler}` // tenants have no blanks

/**
 * What the rulers should hold, from all resources; kept up to date at the cost of what changes. The plan decides
 * which of several claims to an address counts.
 */
export class DesiredState {
  readonly #options: ClaimsOptions
  readonly #resources = new Map<string, ResourceClaims>()
  readonly #places = new Map<string, { readonly place: Place; readonly claims: Map<string, [Claim, ...Claim[]]> }>()

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  /** A resource as it is now. What it wants is read once for each of its generations. */
  set(resource: RuleResource): Touched {
    const before = this.#resources.get(keyOf(resource))
    if (before !== undefined && isSameVersion(before.resource, resource)) {
      this.#resources.set(before.owner, { ...before, resource })
      return new Map()
    }
    return this.put(finish(this.read(resource)))
  }

  /** What a resource wants, to be put here; pauses on the way. `before`: what was read of it last. */
  read(resource: RuleResource, before = this.#resources.get(keyOf(resource))): Steps<ResourceClaims> {
    const same = before?.resource.metadata.uid === resource.metadata.uid ? before : undefined
    return claimsOf(resource, this.#options, same)
  }

  put(claims: ResourceClaims): Touched {
    return this.#replace(this.#resources.get(claims.owner), claims)
  }

  /** Nothing that matters differs from what was set before. */
  isKnown(resource: RuleResource): boolean {
    const known = this.#resources.get(keyOf(resource))
    return known !== undefined && isSameVersion(known.resource, resource)
  }

  remove(key: string): Touched {
    return this.#replace(this.#resources.get(key), undefined)
  }

  resources(): ReadonlyMap<string, ResourceClaims> {
    return this.#resources
  }

  places(): Iterable<Place> {
    return this.#places.values().map(({ place }) => place)
  }

  at(place: Place): PlaceClaims {
    return this.#places.get(placeKey(place))?.claims ?? new Map<string, [Claim]>()
  }

  #replace(before: ResourceClaims | undefined, after: ResourceClaims | undefined): Touched {
    const touched = new Map<string, { place: Place; keys: Set<string> }>()
    const touch = (place: Place, { key }: Claim): void => {
      const id = placeKey(place)
      const known = touched.get(id) ?? { place, keys: new Set() }
      touched.set(id, known)
      known.keys.add(key)
    }
    // an edit of one group is no reason to read the others at the ruler
    const [left, entered] = [whatIsOnlyIn(before, after), whatIsOnlyIn(after, before)]
    for (const [place, claim] of left) {
      this.#leave(place, claim)
      touch(place, claim)
    }
    if (before !== undefined) this.#resources.delete(before.owner)
    if (after !== undefined) this.#resources.set(after.owner, after)
    for (const [place, claim] of entered) {
      this.#enter(place, claim)
      touch(place, claim)
    }
    return touched
  }

  #enter(place: Place, claim: Claim): void {
    const id = placeKey(place)
    const known = this.#places.get(id) ?? { place, claims: new Map<string, [Claim, ...Claim[]]>() }
    this.#places.set(id, known)
    const [first, ...others] = [...(known.claims.get(claim.key) ?? []), claim].toSorted(bySeniority)
    known.claims.set(claim.key, [first ?? claim, ...others])
  }

  #leave(place: Place, claim: Claim): void {
    const known = this.#places.get(placeKey(place))
    const [first, ...others] = (known?.claims.get(claim.key) ?? []).filter(({ owner }) => owner !== claim.owner)
    if (first === undefined) known?.claims.delete(claim.key)
    else known?.claims.set(claim.key, [first, ...others])
    if (known?.claims.size === 0) this.#places.delete(placeKey(place))
  }
}

/** The oldest first. */
export function bySeniority(a: Pick<Claim, "since" | "owner">, b: Pick<Claim, "since" | "owner">): number {
  return compare(a.since, b.since) || compare(a.owner, b.owner)
}

function* placesOf({ claims, tenantsAt }: ResourceClaims): Generator<readonly [Place, readonly Claim[]]> {
  for (const [ruler, ofRuler] of claims)
    for (const tenant of tenantsAt.get(ruler) ?? []) yield [{ ruler, tenant }, ofRuler]
}

/** Claims of `one` that `other` does not have at the same place. */
function whatIsOnlyIn(one: ResourceClaims | undefined, other: ResourceClaims | undefined) {
  const tenants = new Set(other?.tenants)
  const claims = new Set(other?.claims.values().flatMap((ofRuler) => ofRuler))
  const found: (readonly [Place, Claim])[] = []
  for (const [place, ofRuler] of one === undefined ? [] : placesOf(one))
    for (const claim of ofRuler) if (!tenants.has(place.tenant) || !claims.has(claim)) found.push([place, claim])
  return found
}

function isSameVersion({ metadata: a }: RuleResource, { metadata: b }: RuleResource): boolean {
  // annotations and the deletion are no changes of the spec, and leave the generation as it is
  return (
    a.generation !== undefined &&
    a.generation === b.generation &&
    a.uid === b.uid &&
    a.deletionTimestamp === b.deletionTimestamp &&
    JSON.stringify(a.annotations) === JSON.stringify(b.annotations)
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
