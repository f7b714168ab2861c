import { randomBytes } from "node:crypto"
import type { Closable } from "#core/closable.ts"
import type { Context } from "#core/component.ts"
import { ConfigurationError, explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { watchFiles } from "#core/files/watch.ts"
import type { PortalMetrics } from "../metrics.ts"
import { openDelivery } from "./delivery.ts"
import { type Inputs, openInputs } from "./inputs.ts"
import { type FederationSettings, loadPlan, type Plan } from "./load.ts"
import { PLAIN_HTTP, sendsTokenInPlain } from "./plain-http.ts"

export interface Federation extends Closable {
  reload: () => Promise<void>
  /** Why Prometheus has no configuration yet; undefined once it was written. */
  notReady: () => string | undefined
}

export interface FederationOptions {
  readonly settings: FederationSettings & { readonly prometheusUrl: URL }
  readonly env: Inputs["env"]
  readonly metrics: PortalMetrics
  readonly log: Logger
  readonly now: Context["now"]
}

/**
 * Keeps Prometheus' configuration equal to the configuration files: reads them when they change, writes, reloads. Faults in
 * them end the start with ConfigurationError; later they are logged and what is in force stays.
 */
export async function startFederation(options: FederationOptions): Promise<Federation> {
  const { settings, env, metrics, log, now } = options
  const key = randomBytes(32)
  const delivery = openDelivery({ folder: settings.configDir, prometheusUrl: settings.prometheusUrl, metrics, log })
  let watcher: Closable | undefined
  let watched = ""
  let queue = Promise.resolve()
  let closed = false

  /** Reads until what is watched is what was read: no change can slip in between. */
  async function read(): Promise<() => Plan> {
    for (;;) {
      const inputs = openInputs(env, key)
      const outcome = await loadPlan(settings, inputs).then(
        (plan) => () => plan,
        (error: unknown) => () => {
          throw error
        },
      )
      const files = [...inputs.files].toSorted()
      if (files.join("\0") === watched) return outcome
      await watcher?.close()
      watched = files.join("\0")
      watcher = await watchFiles(files, () => {
        void reload()
        return Promise.resolve()
      })
    }
  }

  function accept(plan: Plan): void {
    metrics.configRead.set(1)
    metrics.configReadTime.set(now().getTime() / 1000)
    metrics.sites.set(plan.sites.length)
    metrics.siteInterval.reset()
    for (const { name, interval } of plan.sites) metrics.siteInterval.set({ site: name }, interval)
    log.info({ sites: plan.sites.length }, "configuration files read")
    if (plan.sites.length === 0) log.warn({ file: settings.sitesFile }, "no sites are listed")
    for (const { name, url } of plan.sites) if (sendsTokenInPlain(url)) log.warn({ site: name }, PLAIN_HTTP)
    delivery.deliver(plan.files)
  }

  function reload(): Promise<void> {
    queue = queue.then(async () => {
      if (closed) return
      try {
        accept((await read())())
      } catch (error) {
        metrics.configRead.set(0)
        const faults =
          error instanceof ConfigurationError ? error.faults : [{ where: settings.sitesFile, message: explain(error) }]
        log.error(
          { faults: faults.map(({ where, message }) => `${where}: ${message}`) },
          "configuration files have faults; what is in force stays",
        )
      }
    })
    return queue
  }

  async function close(): Promise<void> {
    closed = true
    await queue
    await watcher?.close()
    await delivery.close()
  }

  // in the queue too: a change meanwhile is read after it, not beside it
  const first = read().then((outcome) => accept(outcome()))
  queue = first.catch(() => undefined)
  try {
    await first
  } catch (error) {
    await close()
    throw error
  }
  return { reload, close, notReady: () => delivery.notReady() }
}
