import { type Closable, closeAll } from "#core/closable.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { keyOf } from "#core/kubernetes/resource.ts"
import { type Watched, watchObjects } from "#core/kubernetes/watch-objects.ts"
import { logChangesOfEach } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { OPEN_METRICS_RULES } from "../../../tenants/open-metrics-rule.ts"
import { tenantsOfRule } from "../../../tenants/tenants-of-rule.ts"
import type { TenantId } from "../../../tenants/tenant.ts"

export interface RulesOptions {
  /** undefined: all of them. */
  readonly namespaces: readonly string[] | undefined
  readonly now: () => Date
  readonly log: Logger
  /** Called when `tenants` is there for the first time, and after changes of resources, which may leave it as it was. */
  readonly changed: () => void
}

export interface WatchedRules extends Closable {
  /** Of all resources, whole as of some moment; undefined before the first list of each namespace is complete. */
  tenants(): ReadonlySet<TenantId> | undefined
  /** Why `tenants` may be outdated or missing. */
  problem(): string | undefined
  /** Resources that are not valid as a whole. */
  faulty(): number
  /** When `tenants` was last known to be up to date; undefined before the first time. */
  confirmedAt(): Date | undefined
  /** Resolves when `tenants` is there, or `problem` is why not. Never rejects. */
  readonly first: Promise<void>
}

/** Milliseconds in which changes are taken together: thousands of resources may come at once. */
const TOGETHER = 100

interface Kept {
  readonly tenants: readonly TenantId[]
  readonly problem: string | undefined
}

/** The tenants that OpenMetricsRule resources name, kept up to date until closed; the last ones while the API is away. */
export function watchRules(api: KubernetesApi, { namespaces, now, log, changed }: RulesOptions): WatchedRules {
  let tenants: ReadonlySet<TenantId> | undefined
  let faulty = 0
  let due: NodeJS.Timeout | undefined
  const logFaults = logChangesOfEach<string, string>((resource, reason) => {
    if (reason === undefined) log.info({ resource }, "an OpenMetricsRule is valid again")
    else log.warn({ resource, reason }, "an OpenMetricsRule has faults, keeping what is valid of it or was before")
  })
  const update = (): void => {
    const lists = watches.map(({ watched }) => watched.objects())
    if (!lists.every((list) => list !== undefined)) return
    const rules = lists.flatMap((list) => [...list])
    tenants = new Set(rules.flatMap(([, rule]) => rule.tenants))
    const faults = new Map(rules.map(([key, { problem }]) => [key, problem]))
    faulty = [...faults.values()].filter((problem) => problem !== undefined).length
    logFaults(faults)
    changed()
  }
  const updateSoon = (): void => {
    // at first nothing can be routed
    if (tenants === undefined) return update()
    due ??= setTimeout(() => {
      due = undefined
      update()
    }, TOGETHER)
  }
  const watch = (namespace: string | undefined) => {
    let outdated = false
    let confirmedAt: Date | undefined
    const watched: Watched<Kept> = watchObjects(api, {
      resource: OPEN_METRICS_RULES,
      namespace,
      log,
      keep(rule) {
        const { tenants: own = watched.objects()?.get(keyOf(rule))?.tenants ?? [], problem } = tenantsOfRule(rule)
        return { tenants: own, problem }
      },
      listed: () => (outdated = true),
      changed: () => (outdated = true),
      confirmed() {
        confirmedAt = now()
        if (outdated) updateSoon()
        outdated = false
      },
    })
    return { watched, confirmedAt: () => confirmedAt }
  }
  const watches = (namespaces ?? [undefined]).map(watch)
  return {
    tenants: () => tenants,
    problem: () => watches.map(({ watched }) => watched.problem()?.message).find((reason) => reason !== undefined),
    faulty: () => faulty,
    confirmedAt() {
      const times = watches.map((one) => one.confirmedAt())
      if (!times.every((time) => time !== undefined)) return undefined
      return times.reduce((a, b) => (a < b ? a : b))
    },
    first: Promise.all(watches.map(({ watched }) => watched.first)).then(() => undefined),
    async close() {
      await closeAll(watches.map(({ watched }) => watched))
      clearTimeout(due)
    },
  }
}
