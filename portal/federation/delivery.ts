import { FedstackError } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import { retry } from "#core/retry/retry.ts"
import type { PortalMetrics } from "../metrics.ts"
import { acceptedFile, readAccepted } from "./accepted.ts"
import { claimFolder } from "./claim.ts"
import { type OutputFile, publish, removeStale } from "./publish.ts"
import { checkStarted, reloadPrometheus } from "./reload.ts"

type Files = readonly OutputFile[]

export interface Delivery {
  /** Brings these files in force; what is under way for others ends. */
  deliver(files: Files): void
  /** Why Prometheus has no configuration yet; undefined once it was written. */
  notReady(): string | undefined
  close(): Promise<void>
}

export interface DeliveryOptions {
  readonly folder: string
  readonly prometheusUrl: URL
  readonly metrics: PortalMetrics
  readonly log: Logger
}

/** Writes configurations for Prometheus and has it reload, until it takes them. */
export function openDelivery({ folder, prometheusUrl, metrics, log }: DeliveryOptions): Delivery {
  let notReady: string | undefined = "The Prometheus configuration is not written yet."
  let accepted: Files | undefined
  let written: Files | undefined
  let applying = { cancel: new AbortController(), done: Promise.resolve() }

  const claim = claimFolder(folder, log)
  const take = async (): Promise<void> => {
    if (await claim.take()) accepted = await readAccepted(folder, log)
  }

  async function write(files: Files): Promise<void> {
    try {
      await publish(folder, files, take)
    } catch (error) {
      metrics.configWritten.set(0)
      throw error
    }
    metrics.configWritten.set(1)
    written = files
  }

  async function apply(files: Files, signal: AbortSignal): Promise<void> {
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
      const instead = signal.aborted && !isRefusal(error) ? undefined : replacement(files, error)
      if (instead !== undefined) await write(instead)
      throw error
    }
    accepted = files
  }

  /**
   * What is to stand on the disk after a failure. What Prometheus refuses does not stay: it could not start with it. As long
   * as it is not there, it may be because it can't start with what is: the new files and those before take turns.
   */
  function replacement(files: Files, error: unknown): Files | undefined {
    if (isRefusal(error)) return accepted
    const isAbsent =
      error instanceof RequestFailed && ["dns", "refused", "connection"].includes(failureClass(error.reason))
    if (!isAbsent) return undefined
    return written === accepted ? files : accepted
  }

  return {
    deliver(files) {
      applying.cancel.abort()
      const cancel = new AbortController()
      applying = { cancel, done: applying.done.then(() => apply(files, cancel.signal)) }
    },
    notReady: () => notReady,
    async close() {
      applying.cancel.abort()
      await applying.done
      await claim.close()
    },
  }
}

const isRefusal = (error: unknown): boolean => error instanceof FedstackError && error.code === "RELOAD_REFUSED"
