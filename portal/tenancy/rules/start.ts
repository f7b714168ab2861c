import { setFlagsFromString } from "node:v8"
import { type Closable, closeAll } from "#core/closable.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import { listeningOf } from "#core/http/settings.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { recordEvents } from "#core/kubernetes/events.ts"
import { holdLease } from "#core/kubernetes/lease.ts"
import type { Logger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { openAdmission } from "./admission/open-admission.ts"
import { checkDeletionTimes, identityOf, scopeOf } from "./config.ts"
import { reportLeftBehind } from "./left-behind.ts"
import { createInformerMetrics } from "./metrics.ts"
import { whyNotReady } from "./readiness.ts"
import { followLeftNamespaces } from "./resources/left-namespaces.ts"
import { releaseNamespaces } from "./resources/release-namespaces.ts"
import { keepGivingUp } from "./resources/give-up.ts"
import { createLedger } from "./resources/ledger.ts"
import { RULE_RESOURCES, watchResources } from "./resources/watch-resources.ts"
import { openRulers, type ServingRuler } from "./ruler/open-rulers.ts"
import type { Ruler } from "./ruler/ruler.ts"
import type { RulesInformerValues } from "./settings.ts"
import { createTenantNames } from "./tenant-names.ts"
import { createTracker } from "./tracker/tracker.ts"
import { keepUpdating, type Updating } from "./updating.ts"
import { validateForAllInSteps } from "./validation/validate-for-all.ts"

export interface StartContext {
  readonly log: Logger
  readonly now: () => Date
  readonly env: Readonly<Record<string, string | undefined>>
}

export type RunningInformer = Awaited<ReturnType<typeof startInformer>>

/** Keeps rulers in step with resources until it is closed. Throws UsageError or ConfigurationError with every fault. */
export async function startInformer(values: RulesInformerValues, { log, now, env }: StartContext) {
  // listings of tenants make garbage that is soon gone: collect it rather than grow, when there is half as much again
  setFlagsFromString("--optimize-for-size")
  setFlagsFromString("--heap-growing-percent=50")
  const listening = listeningOf(values)
  scopeOf(values, "")
  checkDeletionTimes(values)
  const registry = createRegistry()
  const names = createTenantNames((most) =>
    log.warn({ most }, "more tenants than have metrics of their own, the others are shown together"),
  )
  const metrics = createInformerMetrics(registry, names)
  const identity = identityOf(values)
  const opened: Closable[] = []
  let isClosing = false
  try {
    let updating: Updating | undefined
    let unwritable: string | undefined
    /** The list is the same one when the file of rulers has changed. */
    const tracked: Ruler[] = []
    const changed = (all: readonly ServingRuler[]) => {
      tracked.splice(0, tracked.length, ...all.map(({ ruler }) => ruler))
      return updating?.restart()
    }
    const rulers = await openRulers(values, { log, registry, changed })
    await changed(rulers.current())
    opened.unshift(rulers)
    const { kubeconfig, context } = values
    const api = await openKubernetes({ kubeconfig, context, env })
    opened.unshift(api)
    const source = watchResources(api, scopeOf(values, api.namespace), log)
    opened.unshift(source)
    const events = recordEvents(api, { controller: CONTROLLER, instance: identity, log, registry, now })
    opened.unshift(events)
    const ledger = createLedger(api, source, {
      finalizers: values.enableUpdaterRemoveRules,
      now,
      changed: (resource, { status, reason, message: note }) =>
        events.record(RULE_RESOURCES, resource, {
          ...{ type: status === "False" ? "Warning" : "Normal", reason, action: "Synchronise", note },
        }),
      wrote: metrics.wrote,
      conflicted: metrics.conflicted,
      unwritable: (reason) => (unwritable = reason),
    })
    const targets = () => [...new Set(rulers.current().map(({ target }) => target))]
    const admission = await openAdmission({
      ...{ values, api, registry, log, now },
      target: () =>
        targets()
          .map(({ dialect }) => dialect.name)
          .join(" and "),
      validate: (group) => validateForAllInSteps(group, targets()),
    })
    if (admission !== undefined) opened.unshift(admission)

    const leaseNamespace = values.leaseNamespace ?? api.namespace
    const tracker = createTracker({
      ...{ values, api, rulers: tracked, source, registry, names, log, now },
      template: values.rulerNamespaceTemplate,
      isWatched: (namespace) => source.isWatched(namespace),
      finalizers: values.enableUpdaterRemoveRules,
      maxDeletes: values.maxDeletesPerCycle,
      imports: { namespace: leaseNamespace, name: `${values.leaseName}-imports` },
      record: (resource, details) => events.record(RULE_RESOURCES, resource, details),
    })

    const configured = (): readonly string[] => rulers.current().map(({ ruler }) => ruler.name)
    const left = reportLeftBehind({ log, events, metrics, configured })
    const work = async (signal: AbortSignal): Promise<void> => {
      const { forgot } = left
      updating = keepUpdating({ values, rulers, source, ledger, metrics, forgot, now, log }, signal)
      const { finalizerDeadline: deadline, releaseNamespaces: namespaces } = values
      const givingUp = keepGivingUp({ source, ledger, deadline, gaveUp: left.gaveUp, now, log, signal })
      followLeftNamespaces(source, left.notSelected, signal)
      const isWatched = (namespace: string): boolean | undefined =>
        source.snapshot().incomplete.has("") ? undefined : source.isWatched(namespace)
      const releasing = releaseNamespaces(api, { namespaces, isWatched, log }, signal)
      await Promise.all([releasing, updating.ended, givingUp, tracker?.run(signal), admission?.keepTrusted(signal)])
      updating = undefined
    }
    const lease = holdLease(api, {
      namespace: leaseNamespace,
      name: values.leaseName,
      ...{ identity, seconds: Math.ceil(values.leaseDuration), work, log, now },
    })
    opened.unshift(lease)
    const notReady = () => whyNotReady({ snapshot: source.snapshot(), lease, updater: updating?.state(), unwritable })
    metrics.watch(source, lease, notReady)
    const server = await serve({
      ...{ addresses: listening.addresses, flag: listening.flag, webConfigFile: values.webConfigFile, log, registry },
      open: ["/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz"],
      routes: (app) => addAdmin(app, registry, () => (isClosing ? "Ending." : notReady())),
    })
    opened.unshift(server)
    return {
      addresses: server.addresses,
      notReady,
      async reload(): Promise<void> {
        await Promise.all([rulers.reload(), admission?.reload()])
        await server.reload()
      },
      close(): Promise<void> {
        isClosing = true
        return closeAll(opened)
      },
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

const CONTROLLER = "fedstack.dev/rules-informer"
