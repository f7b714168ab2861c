import { Gauge, type GaugeConfiguration, type Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { ConfigurationError, type Fault, faultsOf } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { contentOf, type ReadContent, type ReadText } from "./read-text.ts"
import { wasReadOnce } from "./read-once.ts"
import { recordReads, type Reads, type Watching, watchFiles } from "./watch.ts"

export interface ReloadOptions<T> {
  /** The label of the metrics: `policy`. */
  readonly config: string
  /** As it is called in the log, where that differs from `config`. */
  readonly name?: string
  /** The address of the server that it configures, where a process may have several. */
  readonly listener?: string
  /**
   * Reads all files through `read`, so that changes of them are noticed. Throws ConfigurationError with every fault, also for
   * what cannot take the place of the one in force.
   */
  readonly load: (read: ReadText, inForce: T | undefined) => T | Promise<T>
  /**
   * What is in force from the start on where the files are faulty then, such as what an earlier process applied. Undefined, and
   * without it, the start fails.
   */
  readonly fallback?: {
    readonly load: () => T | undefined | Promise<T | undefined>
    /** For the log: `starting with the last accepted one`. */
    readonly consequence: string
  }
  /** Called with what is in force from now on. Throws, before it ends anything of the previous one, to keep that in force. */
  readonly apply?: (next: T, previous: T | undefined) => void | Promise<void>
  /** Called after each load with the faults for which the files are not in force; with none where they are. */
  readonly report?: (faults: readonly Fault[]) => void
  /** Fields for the log, such as counts; undefined where nothing was loaded that is worth a line. */
  readonly summary?: (loaded: T) => Readonly<Record<string, unknown>> | undefined
  readonly log: Logger
  readonly registry?: Registry | undefined
}

export interface Reloading<T> extends Closable {
  /** What is in force. */
  current(): T
  /** Loads now, as on SIGHUP. Faults are logged and shown in the metrics; it never throws. */
  reload(): Promise<void>
}

/**
 * Loads and applies a configuration, and again whenever a file that it was read from changes, those of a faulty one too. Faults
 * throw at the start; later they keep the previous one in force. One load follows the other, so that an older one never
 * replaces a newer one.
 */
export async function reloadOnChange<T extends object>(options: ReloadOptions<T>): Promise<Reloading<T>> {
  const {
    config,
    name = config,
    listener,
    load,
    apply = () => undefined,
    report = () => undefined,
    fallback,
    summary = () => ({}),
    log,
    registry,
  } = options
  const about = listener === undefined ? {} : { listener }
  const labels = { config, ...about }
  const metrics = registry === undefined ? undefined : reloadMetrics(registry)
  let reads = recordReads()
  let inForce: Reads | undefined
  let current: T | undefined
  let watching: Watching | undefined
  let closed = false

  const read = async (readContent?: ReadContent): Promise<T> => {
    const next = await load((reads = recordReads(readContent)).read, current)
    const faults = inForce === undefined ? [] : emptied(inForce, reads)
    if (faults.length > 0) throw new ConfigurationError(faults)
    return next
  }
  const use = async (next: T): Promise<void> => {
    const previous = current
    current = next
    try {
      await apply(next, previous)
    } catch (error) {
      current = previous
      throw error
    }
    inForce = reads
  }
  const succeeded = (loaded: T, event: string): void => {
    metrics?.successful.set(labels, 1)
    metrics?.time.setToCurrentTime(labels)
    const fields = summary(loaded)
    if (fields !== undefined) log.info({ ...about, ...fields }, `${name} ${event}`)
    report([])
  }
  const reportReadOnce = (): void => {
    const files = [...reads.contents.keys()].filter(wasReadOnce)
    if (files.length > 0) log.info({ ...about, files }, `${name} comes from pipes: they are read once, never again`)
  }
  const failed = (error: unknown, event: string): void => {
    metrics?.successful.set(labels, 0)
    const faults = faultsOf(error, name)
    log.error({ ...about, faults: faults.length }, `${name} ${event}`)
    for (const { where, message } of faults) log.error(about, `${where}: ${message}`)
    report(faults)
  }
  const reloadNow = async (): Promise<void> => {
    if (closed) return
    try {
      const next = await read()
      await use(next)
      succeeded(next, "reloaded")
    } catch (error) {
      failed(error, "reload failed, keeping the previous one")
    }
    watching?.update()
  }
  const readFirst = async (): Promise<{ first: T; error?: unknown }> => {
    try {
      return { first: await read(contentOf) }
    } catch (error) {
      const first = await fallback?.load()
      if (first === undefined) throw error
      return { first, error }
    }
  }
  const start = async (): Promise<T> => {
    let { first, error } = await readFirst()
    watching = watchFiles(() => reads.contents, reload)
    if (watching.isOutdated()) ({ first, error } = await readFirst()) // what changed before the watch began
    await use(first)
    if (error === undefined) succeeded(first, "loaded")
    else failed(error, `load failed, ${fallback?.consequence}`)
    reportReadOnce()
    return first
  }
  const close = async (): Promise<void> => {
    closed = true
    await watching?.close()
    await last
  }
  const starting = start()
  let last: Promise<unknown> = starting.catch(() => undefined)
  function reload(): Promise<void> {
    const next = last.then(reloadNow)
    last = next
    return next
  }
  try {
    const first = await starting
    return { current: () => current ?? first, reload, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Of files that were not empty when they were read before: a full disk, or a write that is not over, leaves such. Where nothing
 * is expected of a file, as of one with users, it would silently set nothing.
 */
function emptied(before: Reads, now: Reads): readonly Fault[] {
  const files = [...now.empty].filter((file) => before.contents.has(file) && !before.empty.has(file))
  const message = "was emptied, as by a write that failed; if nothing is to be set any more, let it hold a comment"
  return files.map((file) => ({ where: file, message }))
}

/** The gauge that all with a common registry share. */
export function sharedGauge<L extends string>(registry: Registry, gauge: GaugeConfiguration<L>): Gauge<L> {
  const existing = registry.getSingleMetric(gauge.name)
  return existing instanceof Gauge ? existing : new Gauge({ ...gauge, registers: [registry] })
}

function reloadMetrics(registry: Registry) {
  const labelNames = ["config", "listener"] as const
  return {
    successful: sharedGauge(registry, {
      name: "fedstack_config_last_reload_successful",
      help: "1 if the configuration in force is the one on disk, 0 if that one is faulty and the previous one was kept.",
      labelNames,
    }),
    time: sharedGauge(registry, {
      name: "fedstack_config_last_reload_success_timestamp_seconds",
      help: "When the configuration in force was read, in Unix time.",
      labelNames,
    }),
  }
}
