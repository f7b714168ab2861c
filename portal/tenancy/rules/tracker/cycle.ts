import { explain } from "#core/errors.ts"
import { keyOf } from "#core/kubernetes/resource.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSnapshot, ResourceSource } from "../resources/source.ts"
import { sameGroup } from "../model/same-group.ts"
import type { Ruler } from "../ruler/ruler.ts"
import type { NamespaceTemplate } from "../updater/namespace-template.ts"
import { type Claimed, claimedBy } from "./claimed.ts"
import { type Direction, modeOf } from "./directions.ts"
import type { Imports } from "./imports.ts"
import type { KubernetesNamespaceOf } from "./kubernetes-namespace.ts"
import type { Action } from "./metrics.ts"
import { mirrorsByTenant, type Origin, originOf } from "./origin.ts"
import { type FoundGroup, type PlannedResource, planTenant, type Skipped } from "./plan.ts"
import { readGroups } from "./read-groups.ts"
import { trackedTenants } from "./tenants.ts"
import { isImporting, isWithoutNamespace, type Writer } from "./write.ts"

export interface CycleOptions {
  readonly directions: readonly Direction[]
  readonly rulers: readonly Ruler[]
  readonly source: ResourceSource
  readonly template: NamespaceTemplate
  readonly namespaceOf: KubernetesNamespaceOf
  /** Whether resources of this namespace of Kubernetes are synchronised. */
  readonly isWatched: (namespace: string) => boolean
  readonly imports: Imports
  readonly writer: Writer
  /** Mirrors at most in a cycle. */
  readonly maxDeletes: number
  readonly wrote: (action: Action, resource: string) => void
  readonly saw: (tenant: TenantId, rules: number) => void
}

export interface CycleResult {
  readonly skipped: readonly Skipped[]
  /** By what failed: a tenant, or a part of the cycle. */
  readonly failures: ReadonlyMap<string, string>
}

/** Tenants whose groups are read at once. */
const AT_ONCE = 4

/** Brings groups from the rulers to Kubernetes, again and again. Each cycle knows what the rulers had in the one before. */
export function createCycle(options: CycleOptions) {
  const { directions, rulers, source, template, namespaceOf, imports, writer } = options
  /** Groups of a tenant when it last had any. */
  const counts = new Map<TenantId, number>()
  let newest: { readonly of: ResourceSnapshot; readonly claimed: Claimed } | undefined
  /** What was written to a mirror last, by its uid: the API may store it otherwise. */
  const written = new Map<string, FoundGroup["group"]>()

  return async function run(signal: AbortSignal): Promise<CycleResult> {
    const skipped: Skipped[] = []
    const failures = new Map<string, string>()
    const failed = (what: string, error: unknown): void => {
      signal.throwIfAborted()
      failures.set(what, explain(error))
    }
    // before the rulers are read: a group that is deleted there meanwhile still belongs to its resource here
    const before = claimed()
    const closed = new Map<string, string>()
    let deletes = 0
    let imported: string | undefined
    try {
      await imports.load(signal)
      const importing = [...source.snapshot().resources.values()].filter(isImporting)
      await imports.add([...importable(before), ...importing.flatMap(placeOf)], signal)
      for (const one of importing) await attempt("import", one, () => writer.settle(one, signal))
    } catch (error) {
      failed("imports", error)
      imported = explain(error)
    }
    const inTurn = limitConcurrency(AT_ONCE)
    const tenants = await trackedTenants({ ...options, claimed: before, known: counts.keys(), failed }, signal)
    await Promise.all([...tenants].map((tenant) => inTurn(() => track(tenant).catch((error) => failed(tenant, error)))))
    return { skipped, failures }

    async function track(tenant: TenantId): Promise<void> {
      signal.throwIfAborted()
      const { present, notWhole, count } = await readGroups(rulers, tenant, failed, signal)
      options.saw(tenant, count)
      const { resources } = source.snapshot()
      const now = claimed()
      const mirrors = mirrorsByTenant(resources.values(), namespaceOf).get(tenant) ?? []
      const plan = planTenant({
        ...{ tenant, present, resources, mirrors, namespaceOf },
        notWhole: notWhole ?? whyEmpty(tenant, present.size, mirrors.length),
        isClaimed: (key) => before.groups.has(key) || now.groups.has(key),
        wasImported: (namespace, origin) => imports.has(namespace, origin),
        modeIn: (namespace) => modeOf(directions, tenant, namespace),
        whyNot: (namespace) => closed.get(namespace) ?? whyNot(namespace, before, now),
      })
      skipped.push(...plan.skipped)
      await create(tenant, plan.creates)
      for (const { mirror, found } of plan.updates) {
        const last = written.get(mirror.metadata.uid ?? "")
        if (last !== undefined && sameGroup(last, found.group)) {
          const message = "Kubernetes does not store it as the ruler has it, so it is not written again"
          skipped.push({ reason: "edited", tenant, subject: keyOf(mirror), message, mirror })
          continue
        }
        await attempt("update", mirror, async () => {
          await writer.update(mirror, found, signal)
          written.set(mirror.metadata.uid ?? "", found.group)
        })
      }
      for (const mirror of plan.releases) {
        await attempt("release", mirror, () => writer.release(mirror, signal))
      }
      for (const mirror of plan.deletes) {
        if ((deletes += 1) > options.maxDeletes) {
          const message = `not more than ${options.maxDeletes} mirrors are deleted in a cycle`
          skipped.push({ reason: "deletion", tenant, subject: keyOf(mirror), message, mirror })
          continue
        }
        await attempt("delete", mirror, () => writer.delete(mirror, signal))
      }
      if (present.size > 0) counts.set(tenant, present.size)
    }

    async function create(tenant: TenantId, planned: readonly PlannedResource[]): Promise<void> {
      const done: RuleResource[] = []
      try {
        for (const one of planned) {
          const { namespace, origin, mode, name, ruler } = one
          const whyNow = mode === "import" ? imported : undefined
          const why = closed.get(namespace) ?? whyNow
          if (why !== undefined) {
            skipped.push({ reason: "namespace", tenant, subject: JSON.stringify(origin.group), message: why })
            continue
          }
          try {
            if (!(await isStill(tenant, one, ruler))) continue
            const made = await writer.create(one, signal)
            if (mode === "import") done.push(made)
            options.wrote(mode, `${namespace}/${name}`)
          } catch (error) {
            if (isWithoutNamespace(error)) closed.set(namespace, `there is no namespace ${namespace} in Kubernetes`)
            failed(`${namespace}/${name}`, error)
          }
        }
      } finally {
        if (done.length > 0) await record(done)
      }
    }

    async function record(made: readonly RuleResource[]): Promise<void> {
      try {
        await imports.add(made.flatMap(placeOf), signal)
        for (const one of made) await writer.settle(one, signal)
      } catch (error) {
        failed("imports", error)
      }
    }

    async function attempt(action: Action, mirror: RuleResource, work: () => Promise<void>): Promise<void> {
      try {
        await work()
        if (action !== "import") options.wrote(action, keyOf(mirror))
      } catch (error) {
        failed(keyOf(mirror), error)
      }
    }

    /** A listing may be older than what its ruler was written since. */
    async function isStill(tenant: TenantId, { origin, group }: FoundGroup, name: string): Promise<boolean> {
      const { namespace, group: groupName } = origin
      const ruler = rulers.find((one) => one.name === name)
      const now = await ruler?.get(tenant, { namespace, name: groupName }, signal)
      return now !== undefined && sameGroup(now, group)
    }
  }

  function claimed(): Claimed {
    const of = source.snapshot()
    if (newest?.of !== of) newest = { of, claimed: claimedBy(of, template) }
    return newest.claimed
  }

  /** Groups that Kubernetes has where groups are imported: not those that its resources are deleted of later. */
  function* importable({ groups }: Claimed): Generator<readonly [string, Origin]> {
    for (const origin of groups.values()) {
      const namespace = namespaceOf(origin.namespace)
      if (namespace !== undefined && modeOf(directions, origin.tenant, namespace) === "import")
        yield [namespace, origin]
    }
  }

  /** A store that was lost, or another one, has no groups either. */
  function whyEmpty(tenant: TenantId, present: number, mirrors: number): string | undefined {
    if (present > 0 || mirrors === 0 || (mirrors === 1 && counts.get(tenant) === 1)) return undefined
    return `its tenant has no groups at the rulers any more: it stays, in case that they lost them; delete it if that is right`
  }

  function whyNot(namespace: string, ...all: readonly Claimed[]): string | undefined {
    if (!options.isWatched(namespace)) return `the namespace ${namespace} is none of those that are synchronised`
    for (const { unclear } of all) {
      const reason = unclear.get(namespace) ?? unclear.get("")
      if (reason !== undefined)
        return `it is not known whether a resource in the namespace ${namespace} has it: ${reason}`
    }
    return undefined
  }
}

/** The namespace of a resource that was made of a group, and the group. */
function placeOf(resource: RuleResource): readonly (readonly [string, Origin])[] {
  const origin = originOf(resource)
  return origin === undefined ? [] : [[resource.metadata.namespace ?? "", origin]]
}
