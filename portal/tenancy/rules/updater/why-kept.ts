import type { ResourceSnapshot } from "../resources/source.ts"
import type { DesiredState, Place } from "./desired-state.ts"
import { isAcrossNamespaces, type NamespaceTemplate } from "./namespace-template.ts"
import type { Ownership } from "./ownership.ts"

export interface Reasons {
  /** Whether groups are deleted at all. */
  readonly removes: boolean
  readonly snapshot: ResourceSnapshot
  readonly template: NamespaceTemplate
  readonly desired: DesiredState
  readonly ownership: Ownership
}

/**
 * Why a group that this resource wrote there and no longer wants is not deleted; undefined: it is. Only a resource that is
 * there and wants less, or that was seen to be deleted, is a reason to delete: what is merely missing is none, so an empty,
 * partial or unreadable source deletes nothing.
 */
export function whyKept(
  { ruler, tenant }: Place,
  owner: string,
  { removes, snapshot: { incomplete }, template, desired, ownership }: Reasons,
): string | undefined {
  if (!removes) return "groups are not deleted, by --enable-updater-remove-rules=false"
  const unread = incomplete.get("") ?? incomplete.get(owner.split("/", 1)[0] ?? "")
  if (unread !== undefined) return `the resources of its namespace cannot be read: ${unread}`
  const [other] = incomplete
  if (other !== undefined && isAcrossNamespaces(template))
    return `the resources of the namespace ${other[0]}, which may want it, cannot be read: ${other[1]}`
  const all = desired.resources().get(owner)
  if (all === undefined) return ownership.isDeleted(owner) ? undefined : VANISHED
  if (all.mode === "hands-off") return "by the direction of its resource nothing is changed"
  if (all.isUnclear) return "it cannot be read which groups its resource wants"
  return all.tenants.includes(tenant) && all.tenantsAt.get(ruler)?.includes(tenant) !== true ? NOT_SERVED : undefined
}

const VANISHED =
  "its resource vanished without having been deleted: create it again and delete it, or delete the group at the ruler"
const NOT_SERVED =
  "--rulers has this ruler without this tenant by now: take the tenant out of the resource as well, or delete the group at the ruler"
