import { FedstackError } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import { retry } from "#core/retry/retry.ts"
import { acceptedFile, readAccepted } from "./accepted.ts"
import { lockFolder } from "./folder-lock.ts"
import type { PortalMetrics } from "./metrics.ts"
import type { FederationSettings } from "./settings.ts"
import { checkStarted, reloadPrometheus } from "./prometheus.ts"
import { type OutputFile, publish, removeStale } from "./publish.ts"

type Files = readonly OutputFile[]

/** Writes configurations for Prometheus and reloads it, until it accepts them. */
export function openRollout(
  { configDir: folder, prometheusUrl }: FederationSettings,
  metrics: PortalMetrics,
  log: Logger,
) {
  let notReady: string | undefined = "The Prometheus configuration is not written yet."
  let accepted: Files | undefined
  let written: Files | undefined
  let current = { cancel: new AbortController(), done: Promise.resolve() }

  const lock = lockFolder(folder, log)
  const acquire = async (): Promise<void> => {
    if (await lock.acquire()) accepted = await readAccepted(folder, log)
  }

  async function write(files: Files): Promise<void> {
    try {
      await publish(folder, files, acquire)
    } catch (error) {
      metrics.configWritten.set(0)
      throw error
    }
    metrics.configWritten.set(1)
    written = files
  }

  async function rollOut(files: Files, signal: AbortSignal): Promise<void> {
    metrics.configWritten.set(0)
    const failedToWrite = (reason: string) => (notReady = notReady === undefined ? undefined : reason)
    const task = "writing the Prometheus configuration"
    if (!(await retry(() => write(files), { signal, log, task, failed: failedToWrite }))) return
    notReady = undefined
    log.info({ folder }, "Prometheus configuration written")
    const failedToReload = () => metrics.prometheusReloaded.set(0)
    const reloading = { signal, log, task: "reloading Prometheus", failed: failedToReload }
    if (!(await retry(() => submit(files, signal), reloading))) return
    metrics.prometheusReloaded.set(1)
    log.info({ url: prometheusUrl.href }, "Prometheus reloaded")
    const finishing = { signal, log, task: "finishing the Prometheus configuration" }
    if (!(await retry(() => publish(folder, [acceptedFile(files)]), finishing))) return
    await retry(() => removeStale(folder, files), finishing)
  }

  async function submit(files: Files, signal: AbortSignal): Promise<void> {
    try {
      if (accepted !== undefined) await checkStarted(prometheusUrl, signal)
      await write(files)
      await reloadPrometheus(prometheusUrl, signal)
    } catch (error) {
      const fallback = signal.aborted && !isRefusal(error) ? undefined : fallbackAfter(error, files)
      if (fallback !== undefined) await write(fallback)
      throw error
    }
    accepted = files
  }

  /**
   * What is written after a failure. Files that Prometheus refuses do not stay: it could not start with them. While it is
   * down, perhaps because it cannot start with the files it finds, the new files and the accepted ones take turns.
   */
  function fallbackAfter(error: unknown, files: Files): Files | undefined {
    if (isRefusal(error)) return accepted
    const isDown =
      error instanceof RequestFailed && ["dns", "refused", "connection"].includes(failureClass(error.reason))
    if (!isDown) return undefined
    return written === accepted ? files : accepted
  }

  return {
    /** Rolls these files out; the rollout of others that is under way ends. */
    start(files: Files): void {
      current.cancel.abort()
      const cancel = new AbortController()
      current = { cancel, done: current.done.then(() => rollOut(files, cancel.signal)) }
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
