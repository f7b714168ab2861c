import type { Registry } from "prom-client"
import type { Values } from "#core/config/settings.ts"
import { explain, UsageError } from "#core/errors.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import type { EventDetails } from "#core/kubernetes/events.ts"
import type { ObjectAddress } from "#core/kubernetes/resource.ts"
import { logChangesOfEach } from "#core/log/changes.ts"
import { cleanText } from "#core/log/clean-text.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSource } from "../resources/source.ts"
import type { Ruler } from "../ruler/ruler.ts"
import type { NamespaceTemplate } from "../updater/namespace-template.ts"
import { createCycle, type CycleResult } from "./cycle.ts"
import { faultOf } from "./directions.ts"
import { openImports } from "./imports.ts"
import { inverseOf } from "./kubernetes-namespace.ts"
import type { TenantNames } from "../tenant-names.ts"
import { createTrackerMetrics } from "./metrics.ts"
import type { trackerSettings } from "./settings.ts"
import { createWriter } from "./write.ts"

export interface TrackerOptions {
  readonly values: Values<typeof trackerSettings>
  readonly api: KubernetesApi
  readonly rulers: readonly Ruler[]
  readonly source: ResourceSource
  readonly template: NamespaceTemplate
  /** Whether resources of this namespace of Kubernetes are synchronised. */
  readonly isWatched: (namespace: string) => boolean
  /** Whether resources get our finalizer. */
  readonly finalizers: boolean
  readonly maxDeletes: number
  /** The ConfigMap in which it is recorded what was imported. */
  readonly imports: ObjectAddress
  readonly record: (resource: RuleResource, details: EventDetails) => void
  readonly registry: Registry
  readonly names: TenantNames
  readonly log: Logger
  readonly now: () => Date
}

export interface Tracker {
  /** For the holder of the lease: works until aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>
}

/** From the rulers to Kubernetes; undefined where it is off, as it is by default. Throws UsageError. */
export function createTracker(options: TrackerOptions): Tracker | undefined {
  const { values, api, template, registry, names, log, now } = options
  const { tracker: directions, trackerPollIntervalSeconds: seconds } = values
  const namespaceOf = inverseOf(template)
  const fault = faultOf(directions)
  if (fault !== undefined) throw new UsageError([{ where: "--tracker", message: fault }])
  if (seconds === 0 || directions.every(({ mode }) => mode === "off")) return undefined
  if (namespaceOf === undefined) {
    const message = "needs a --ruler-namespace-template with {namespace} alone, by which a group's namespace is known"
    throw new UsageError([{ where: "--tracker", message }])
  }
  const metrics = createTrackerMetrics(registry, names)
  metrics.interval.set(seconds)
  const cycle = createCycle({
    ...options,
    directions,
    namespaceOf,
    imports: openImports(api, options.imports),
    writer: createWriter(api, options.finalizers),
    wrote(action, resource) {
      metrics.writes.inc({ action })
      log.info({ action, resource }, "tracker wrote a resource")
    },
    saw: (tenant, rules) => metrics.showTenant(tenant, rules),
  })
  const logSkipped = logChangesOfEach<string, string>((subject, reason) => {
    if (reason !== undefined) log.warn({ subject, reason }, "tracker does nothing for it")
  })
  const logFailures = logChangesOfEach<string, string>((of, reason) => {
    if (reason !== undefined) log.warn({ of, reason }, "tracker failed, trying again in the next cycle")
  })
  /** Mirrors of which an Event says that they do not follow, with why. */
  let told = new Map<string, string>()

  function report({ skipped, failures }: CycleResult): void {
    logSkipped(new Map(skipped.map(({ tenant, subject, message }) => [cleanText(`${tenant}: ${subject}`), message])))
    logFailures(new Map([...failures].map(([of, reason]) => [cleanText(of), cleanText(reason)])))
    metrics.showSkipped(skipped)
    metrics.failures.inc(failures.size)
    if (failures.size === 0) metrics.lastSuccess.set(now().getTime() / 1000)
    const next = new Map<string, string>()
    for (const { mirror, message } of skipped) {
      const { uid } = mirror?.metadata ?? {}
      if (mirror === undefined || uid === undefined) continue
      next.set(uid, message)
      if (told.get(uid) !== message)
        options.record(mirror, { type: "Warning", reason: "MirrorNotFollowing", action: "Track", note: message })
    }
    told = next
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          report(await cycle(signal))
        } catch (error) {
          if (signal.aborted) break
          report({ skipped: [], failures: new Map([["cycle", explain(error)]]) })
        }
        await pause(seconds, signal)
      }
      metrics.showSkipped([]) // another replica knows
    },
  }
}
