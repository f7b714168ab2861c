import { existsSync } from "node:fs"
import { FedstackError } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import { retry } from "#core/retry/retry.ts"
import { type Accepted, acceptedFile, readAccepted } from "./accepted.ts"
import { lockFolder } from "./folder-lock.ts"
import type { PortalMetrics } from "./metrics.ts"
import type { FilesFor } from "./load.ts"
import { checkStarted, type PrometheusServer, readVersion, reloadPrometheus } from "./prometheus.ts"
import { CONFIG_FILE, publish, removeStale } from "./publish.ts"
import { watchScrapePools } from "./scrape-pools.ts"
import { showVersion } from "./version.ts"

/** Files that every version understands, and how those for one are made, unless they are for one already. */
type Plan = Accepted & { readonly filesFor?: FilesFor }

/** Writes configurations for Prometheus and reloads it, until it accepts them. */
export function openRollout(folder: string, prometheus: PrometheusServer, metrics: PortalMetrics, log: Logger) {
  let notReady: string | undefined = "The Prometheus configuration is not written yet."
  let accepted: Accepted | undefined
  let written: Accepted | undefined
  let current = { cancel: new AbortController(), done: Promise.resolve() }

  const lock = lockFolder(folder, log)
  const acquire = async (): Promise<void> => {
    if (await lock.acquire()) accepted = await readAccepted(folder, log)
  }

  async function write(plan: Accepted): Promise<void> {
    try {
      await publish(folder, plan.files, acquire)
    } catch (error) {
      metrics.configWritten.set(0)
      throw error
    }
    metrics.configWritten.set(1)
    written = plan
  }

  /** For the Prometheus that runs, where that is not given and can be requested. */
  async function forRunning(plan: Plan, signal: AbortSignal): Promise<Accepted & { readonly version?: string }> {
    const version = plan.filesFor === undefined ? undefined : await readVersion(prometheus, signal)
    if (plan.filesFor === undefined || version === undefined) return plan
    return { sites: plan.sites, files: plan.filesFor(version), version: showVersion(version) }
  }

  async function rollOut(plan: Plan, signal: AbortSignal): Promise<void> {
    metrics.configWritten.set(0)
    const failedToWrite = (reason: string) => (notReady = notReady === undefined ? undefined : reason)
    const task = "writing the Prometheus configuration"
    if (!(await retry(async () => write(await forRunning(plan, signal)), { signal, log, task, failed: failedToWrite })))
      return
    notReady = undefined
    log.info({ folder }, "Prometheus configuration written")
    const failedToReload = () => metrics.prometheusReloaded.set(0)
    const reloading = { signal, log, task: "reloading Prometheus", failed: failedToReload }
    let submitted: Accepted = plan
    if (!(await retry(async () => void (submitted = await submit(plan, signal)), reloading))) return
    metrics.prometheusReloaded.set(1)
    const finishing = { signal, log, task: "finishing the Prometheus configuration" }
    if (!(await retry(() => publish(folder, [acceptedFile(submitted)]), finishing))) return
    if (!(await retry(() => removeStale(folder, submitted.files), finishing))) return
    const { content = "" } = submitted.files.find(({ path }) => path === CONFIG_FILE) ?? {}
    await watchScrapePools(prometheus, content, { metrics, log, signal })
  }

  /** What Prometheus accepted of it. */
  async function submit(plan: Plan, signal: AbortSignal): Promise<Accepted> {
    try {
      if (accepted !== undefined) await checkStarted(prometheus, signal)
      const { version, ...submitted } = await forRunning(plan, signal)
      await write(submitted)
      await reloadPrometheus(prometheus, signal)
      log.info({ url: prometheus.url.href, version }, "Prometheus reloaded")
      return (accepted = submitted)
    } catch (error) {
      const fallback = signal.aborted && !isRefusal(error) ? undefined : fallbackAfter(error, plan)
      if (fallback !== undefined) await write(fallback)
      throw error
    }
  }

  /**
   * What is written after a failure. Files that Prometheus refuses do not stay: it could not start with them. While it is
   * down, perhaps because it cannot start with the files it finds, the new files and the accepted ones take turns.
   */
  function fallbackAfter(error: unknown, plan: Accepted): Accepted | undefined {
    if (isRefusal(error)) return accepted
    const isDown =
      error instanceof RequestFailed && ["dns", "refused", "connection"].includes(failureClass(error.reason))
    if (!isDown) return undefined
    return written === accepted ? plan : accepted
  }

  return {
    /** What Prometheus accepted last, of an earlier process too. Undefined where there is none, or another portal is alive. */
    async lastAccepted(): Promise<Accepted | undefined> {
      if (!existsSync(folder)) return undefined
      try {
        await acquire()
        return accepted
      } catch (error) {
        if (error instanceof FedstackError && error.code === "FOLDER_LOCKED") return undefined
        throw error
      }
    },
    /** Rolls this out; the rollout of another that is under way ends. */
    start(plan: Plan): void {
      current.cancel.abort()
      const cancel = new AbortController()
      current = { cancel, done: current.done.then(() => rollOut(plan, cancel.signal)) }
    },
    /** Why Prometheus has no configuration yet; undefined once it was written. */
    notReady: () => notReady,
    async close(): Promise<void> {
      current.cancel.abort()
      await current.done
      await lock.close()
    },
  }
}

const isRefusal = (error: unknown): boolean => error instanceof FedstackError && error.code === "RELOAD_REFUSED"
