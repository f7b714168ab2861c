import { keyOf } from "#core/kubernetes/resource.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { isFields } from "../fields.ts"
import type { RuleGroup } from "../model/group.ts"
import { sameGroup } from "../model/same-group.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { TrackerMode } from "./directions.ts"
import type { KubernetesNamespaceOf } from "./kubernetes-namespace.ts"
import { isUntouched, type Origin, originKey, originOf } from "./origin.ts"
import { resourceNames } from "./resource-names.ts"

/** A group of a tenant as a ruler has it. */
export interface FoundGroup {
  readonly ruler: string
  readonly origin: Origin
  readonly group: RuleGroup
}

export interface PlanInput {
  readonly tenant: TenantId
  /** By `originKey`. */
  readonly present: ReadonlyMap<string, FoundGroup>
  /** Why groups that are missing in `present` may be there; undefined: it is all that the rulers have. */
  readonly notWhole: string | undefined
  readonly resources: ReadonlyMap<string, RuleResource>
  /** Mirrors of this tenant. */
  readonly mirrors: readonly RuleResource[]
  readonly isClaimed: (key: string) => boolean
  readonly wasImported: (namespace: string, origin: Origin) => boolean
  /** Why nothing is written in a namespace of Kubernetes. */
  readonly whyNot: (namespace: string) => string | undefined
  readonly namespaceOf: KubernetesNamespaceOf
  readonly modeIn: (namespace: string) => TrackerMode
}

export interface PlannedResource extends FoundGroup {
  readonly namespace: string
  readonly name: string
  readonly mode: Exclude<TrackerMode, "off">
}

export interface PlannedUpdate {
  readonly mirror: RuleResource
  readonly found: FoundGroup
}

/** A group of which no resource is made, or a mirror that does not follow. */
export interface Skipped {
  readonly reason: "namespace" | "name" | "size" | "edited" | "deletion"
  readonly tenant: TenantId
  readonly subject: string
  /** One sentence without a final stop. */
  readonly message: string
  /** The mirror, where it is about one. */
  readonly mirror?: RuleResource
}

export interface TrackerPlan {
  readonly creates: readonly PlannedResource[]
  readonly updates: readonly PlannedUpdate[]
  readonly deletes: readonly RuleResource[]
  /** Mirrors that become sources: their tenant or namespace was a mirror's and is imported now. */
  readonly releases: readonly RuleResource[]
  readonly skipped: readonly Skipped[]
}

/** Bytes of its groups as JSON: of more, a webhook, of fedstack or of others, or etcd refuses the resource. */
const LARGEST = 512 * 1024

export function planTenant(input: PlanInput): TrackerPlan {
  const { tenant, present, notWhole, resources, mirrors } = input
  const plan = {
    creates: [] as PlannedResource[],
    updates: [] as PlannedUpdate[],
    deletes: [] as RuleResource[],
    releases: [] as RuleResource[],
    skipped: [] as Skipped[],
  }
  const skip = (reason: Skipped["reason"], subject: string, message: string, mirror?: RuleResource): void =>
    void plan.skipped.push({ reason, tenant, subject, message, ...(mirror && { mirror }) })
  const byOrigin = new Map(mirrors.map((mirror) => [keyOfMirror(mirror), mirror]))
  const taken = new Set<string>()

  for (const [key, found] of present) {
    const { origin, group } = found
    const subject = `group ${JSON.stringify(origin.group)} in ${JSON.stringify(origin.namespace)}`
    const namespace = input.namespaceOf(origin.namespace)
    if (namespace === undefined) {
      if (input.modeIn("") !== "off")
        skip("namespace", subject, "its namespace at the ruler is that of no namespace of Kubernetes")
      continue
    }
    const mode = input.modeIn(namespace)
    if (mode === "off" || input.isClaimed(key)) continue
    const mirror = byOrigin.get(key)
    if (mirror !== undefined) {
      keep(mode, mirror, found)
      continue
    }
    if (mode === "import" && input.wasImported(namespace, origin)) continue
    const whyNot = input.whyNot(namespace)
    const name = resourceNames(tenant, origin.group).find((one) => isFree(`${namespace}/${one}`))
    if (whyNot !== undefined) skip("namespace", subject, whyNot)
    else if (name === undefined)
      skip("name", subject, `resources of others have the names that it would get in the namespace ${namespace}`)
    else if (Buffer.byteLength(JSON.stringify([group])) > LARGEST)
      skip("size", subject, `it is larger than the ${LARGEST} bytes that a resource may have`)
    else {
      taken.add(`${namespace}/${name}`)
      plan.creates.push({ ...found, namespace, name, mode })
    }
  }
  deleteGone()
  return plan

  function isFree(key: string): boolean {
    return !resources.has(key) && !taken.has(key)
  }

  function keep(mode: TrackerMode, mirror: RuleResource, found: FoundGroup): void {
    const isSame = isMirrorOf(mirror, found)
    if (mode === "import" && (isSame || isUntouched(mirror))) plan.releases.push(mirror)
    else if (isSame) return
    else if (isUntouched(mirror)) plan.updates.push({ mirror, found })
    else skip("edited", keyOf(mirror), EDITED, mirror)
  }

  function deleteGone(): void {
    const gone = [...byOrigin].filter(([key, mirror]) => {
      const { namespace = "" } = mirror.metadata
      return input.modeIn(namespace) === "mirror" && (!present.has(key) || input.isClaimed(key))
    })
    for (const [key, mirror] of gone) {
      if (!isUntouched(mirror)) skip("edited", keyOf(mirror), EDITED_GONE, mirror)
      else if (notWhole !== undefined && !present.has(key)) skip("deletion", keyOf(mirror), notWhole, mirror)
      else if (input.whyNot(mirror.metadata.namespace ?? "") === undefined) plan.deletes.push(mirror)
    }
  }
}

const EDITED =
  "its spec was changed by another client, so it does not follow the ruler any more; delete it, or remove the annotation fedstack.dev/direction to make it the source"
const EDITED_GONE =
  "its group is not at the ruler any more, and its spec was changed by another client, so it stays; delete it, or remove the annotation fedstack.dev/direction to make it the source"

function keyOfMirror(mirror: RuleResource): string {
  const origin = originOf(mirror)
  return origin === undefined ? "" : originKey(origin)
}

function isMirrorOf({ spec }: RuleResource, { origin, group }: FoundGroup): boolean {
  const { tenants, groups } = spec ?? {}
  if (!Array.isArray(tenants) || tenants.length !== 1 || tenants[0] !== origin.tenant) return false
  const only: unknown = Array.isArray(groups) && groups.length === 1 ? groups[0] : undefined
  return isFields(only) && sameGroup(only as unknown as RuleGroup, group)
}
