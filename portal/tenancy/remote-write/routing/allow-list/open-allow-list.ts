import type { Registry } from "prom-client"
import { type Closable, closeAll } from "#core/closable.ts"
import { type Reloading, reloadOnChange } from "#core/files/reload.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import type { Logger } from "#core/log/logger.ts"
import { readAllowListFile } from "../../../tenants/allow-list-file.ts"
import type { TenantId } from "../../../tenants/tenant.ts"
import type { AllowedTenants } from "../routing-config.ts"
import type { RoutingValues } from "../settings.ts"
import { type Source, showSources } from "./metrics.ts"
import { watchRules } from "./watch-rules.ts"

export interface AllowListContext {
  readonly log: Logger
  readonly registry: Registry
  readonly now: () => Date
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called after what `current` returns has become ready or has changed. */
  readonly changed: () => void
}

/** Before the resources of Kubernetes were listed for the first time no series can be routed. */
export interface NotReady {
  /** In words: `the allow list is not known yet: …` */
  readonly notReady: string
}

export interface AllowList extends Closable {
  /** It is replaced as a whole. */
  current(): { readonly allowed: AllowedTenants } | NotReady
  /** Reads the file again, as on SIGHUP. Never throws. */
  reload(): Promise<void>
}

/**
 * The tenants that labels may name: those of the flags, the file and the resources of Kubernetes together, or every valid one
 * where none of these is set. A file with faults, or an API that is away, leaves what was there before. Throws UsageError or
 * ConfigurationError where the first one cannot be read.
 */
export async function openAllowList(values: RoutingValues, context: AllowListContext): Promise<AllowList> {
  const { log, registry, changed } = context
  const flags = new Set(values.allowListedTenants.value)
  const parts: Closable[] = []
  const sources: Source[] = flags.size === 0 ? [] : [{ name: "flags", tenants: () => flags }]
  let allowed: ReadonlySet<TenantId> | undefined
  let opened = false

  /** Whether it changed anything. */
  const join = (): boolean => {
    const lists = sources.map((source) => source.tenants())
    if (lists.length === 0 || !lists.every((list) => list !== undefined)) return false
    const next = new Set(lists.flatMap((list) => [...list]))
    if (allowed?.size === next.size && next.isSubsetOf(allowed)) return false
    const before = allowed ?? new Set()
    allowed = next
    const changes = { added: named(next.difference(before)), removed: named(before.difference(next)) }
    if (next.size > 0) log.info({ tenants: next.size, ...(opened ? changes : {}) }, "allow list in force")
    else log.warn("the allow list is empty, only the default tenants are written")
    return true
  }
  const update = (): void => {
    if (opened && join()) changed()
  }
  let file: Reloading<ReadonlySet<TenantId>> | undefined
  try {
    if (values.allowListFile !== undefined) {
      const opening = await openFile(values.allowListFile, { ...context, changed: update })
      file = opening
      parts.push(opening)
      sources.push({ name: "file", tenants: () => opening.current() })
    }
    if (values.kubernetesPollIntervalSeconds > 0) {
      const rules = await openRules(values, { ...context, changed: update })
      parts.push(rules)
      sources.push({ name: "kubernetes", ...rules })
    }
  } catch (error) {
    await closeAll(parts)
    throw error
  }
  join()
  opened = true
  showSources(registry, sources)
  return {
    current() {
      if (allowed !== undefined || sources.length === 0) return { allowed }
      const reason = sources.map(({ problem }) => problem?.()).find((found) => found !== undefined)
      return { notReady: `the allow list is not known yet: ${reason ?? "its resources are being listed"}` }
    },
    reload: () => file?.reload() ?? Promise.resolve(),
    close: () => closeAll(parts),
  }
}

const MOST_NAMES = 20

/** Some of them, for the log; undefined where there are none. */
function named(tenants: ReadonlySet<TenantId>): string | undefined {
  if (tenants.size === 0) return undefined
  const some = [...tenants].slice(0, MOST_NAMES).join(", ")
  return tenants.size > MOST_NAMES ? `${some} and ${tenants.size - MOST_NAMES} more` : some
}

function openFile(
  name: string,
  { log, registry, changed }: AllowListContext,
): Promise<Reloading<ReadonlySet<TenantId>>> {
  return reloadOnChange({
    config: "allow_list",
    name: "allow list file",
    load: (read) => new Set(readAllowListFile(name, read)),
    apply: changed,
    summary: ({ size }) => ({ tenants: size }),
    log,
    registry,
  })
}

async function openRules(values: RoutingValues, { log, now, env, changed }: AllowListContext) {
  const { kubeconfig, context, allNamespaces, namespaces } = values
  const api = await openKubernetes({ kubeconfig, context, env })
  const rules = watchRules(api, { namespaces: allNamespaces ? undefined : namespaces.value, now, log, changed })
  return { ...rules, close: () => closeAll([rules, api]) }
}
