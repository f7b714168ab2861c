import { existsSync } from "node:fs"
import { FedstackError } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import { retry } from "#core/retry/retry.ts"
import { type Accepted, acceptedFile, readAccepted } from "./accepted.ts"
import { lockFolder } from "./folder-lock.ts"
import type { PortalMetrics } from "./metrics.ts"
import { checkStarted, type PrometheusServer, reloadPrometheus } from "./prometheus.ts"
import { publish, removeStale } from "./publish.ts"

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

  async function rollOut(plan: Accepted, signal: AbortSignal): Promise<void> {
    metrics.configWritten.set(0)
    const failedToWrite = (reason: string) => (notReady = notReady === undefined ? undefined : reason)
    const task = "writing the Prometheus configuration"
    if (!(await retry(() => write(plan), { signal, log, task, failed: failedToWrite }))) return
    notReady = undefined
    log.info({ folder }, "Prometheus configuration written")
    const failedToReload = () => metrics.prometheusReloaded.set(0)
    const reloading = { signal, log, task: "reloading Prometheus", failed: failedToReload }
    if (!(await retry(() => submit(plan, signal), reloading))) return
    metrics.prometheusReloaded.set(1)
    log.info({ url: prometheus.url.href }, "Prometheus reloaded")
    const finishing = { signal, log, task: "finishing the Prometheus configuration" }
    if (!(await retry(() => publish(folder, [acceptedFile(plan)]), finishing))) return
    await retry(() => removeStale(folder, plan.files), finishing)
  }

  async function submit(plan: Accepted, signal: AbortSignal): Promise<void> {
    try {
      if (accepted !== undefined) await checkStarted(prometheus, signal)
      await write(plan)
      await reloadPrometheus(prometheus, signal)
    } catch (error) {
      const fallback = signal.aborted && !isRefusal(error) ? undefined : fallbackAfter(error, plan)
      if (fallback !== undefined) await write(fallback)
      throw error
    }
    accepted = plan
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
    start(plan: Accepted): void {
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
