import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { FedstackError } from "#core/errors.ts"
import { RequestFailed } from "#core/http/client.ts"
import { failureClass } from "#core/http/connection-failure.ts"
import type { Logger } from "#core/log/logger.ts"
import { retry } from "#core/retry/retry.ts"
import { type Accepted, acceptedFile, readAccepted } from "./accepted.ts"
import { lockFolder } from "./folder-lock.ts"
import type { ShardMetrics } from "./metrics.ts"
import type { FilesFor } from "./load.ts"
import { checkStarted, type PrometheusServer, readVersion, reloadPrometheus } from "./prometheus.ts"
import { CONFIG_FILE, type OutputFile, publish, removeStale } from "./publish.ts"
import { jobsIn, watchScrapePools } from "./scrape-pools.ts"
import { mayKeepFirstToken, type PrometheusVersion, showVersion } from "./version.ts"

/** Files that every version understands, and how those for one are made, unless they are for the given one already. */
type Plan = Accepted & {
  readonly filesFor?: FilesFor
  readonly version?: PrometheusVersion
  readonly jobs?: readonly string[]
}

/** The same with tokens that the portal signs, as they are now; under names of their own where `renames`. */
export type WithTokens = (accepted: Accepted, renames: boolean) => Accepted

/** Why Prometheus does not have the configuration that it should have. */
export interface RolloutProblem {
  readonly step: "writing" | "reloading"
  /** Of the error, such as RELOAD_REFUSED; undefined where it has none of ours. */
  readonly code: string | undefined
  readonly reason: string
  readonly since: Date
}

interface RolloutOptions {
  readonly metrics: ShardMetrics
  readonly log: Logger
  readonly withTokens?: WithTokens | undefined
  /** For the portal itself, written with what Prometheus accepted. */
  readonly beside?: () => OutputFile | undefined
}

export type Rollout = ReturnType<typeof openRollout>

/** Writes configurations for Prometheus and reloads it, until it accepts them. */
export function openRollout(
  folder: string,
  prometheus: PrometheusServer,
  { metrics, log, withTokens = (accepted) => accepted, beside }: RolloutOptions,
) {
  let confirmed: Date | undefined
  let ownsFolder = false
  let problem: RolloutProblem | undefined
  let notReady: string | undefined = "The Prometheus configuration is not written yet."
  let accepted: Accepted | undefined
  let written: Accepted | undefined
  let writtenConfig: string | undefined
  let plan: Plan | undefined
  /** Until the version is known: it costs a reload, and is right for all. */
  let renames = true
  let current = { cancel: new AbortController(), done: Promise.resolve() }

  function note(step: RolloutProblem["step"], reason: string, error: unknown): void {
    const code = error instanceof FedstackError ? error.code : undefined
    const since = problem?.step === step && problem.code === code ? problem.since : new Date()
    problem = { step, code, reason, since }
  }

  const lock = lockFolder(folder, log)
  const acquire = async (): Promise<void> => {
    if (await lock.acquire()) accepted = await readAccepted(folder, log)
    ownsFolder = true
  }

  /** With the tokens of now, as it stands on disk then. */
  async function write(planned: Accepted): Promise<Accepted> {
    const next = withTokens(planned, renames)
    try {
      await publish(folder, next.files, acquire)
    } catch (error) {
      metrics.configWritten.set(0)
      throw error
    }
    metrics.configWritten.set(1)
    written = planned
    writtenConfig = configOf(next)
    return next
  }

  /** For the Prometheus that runs, where that is not given and can be requested. */
  async function forRunning(planned: Plan, signal: AbortSignal): Promise<Accepted & { readonly running?: string }> {
    const version = planned.version ?? (await readVersion(prometheus, signal))
    renames = version === undefined ? renames : mayKeepFirstToken(version)
    if (planned.filesFor === undefined || version === undefined) return planned
    return { sites: planned.sites, files: planned.filesFor(version), running: showVersion(version) }
  }

  async function rollOut(planned: Plan, signal: AbortSignal): Promise<void> {
    metrics.configWritten.set(0)
    const failedToWrite = (reason: string, error: unknown): void => {
      notReady = notReady === undefined ? undefined : reason
      note("writing", reason, error)
    }
    const task = "writing the Prometheus configuration"
    const attempt = async (): Promise<void> => void (await write(await forRunning(planned, signal)))
    if (!(await retry(attempt, { signal, log, task, failed: failedToWrite }))) return
    notReady = undefined
    log.info({ folder }, "Prometheus configuration written")
    await reload(planned, signal)
  }

  /** Until Prometheus has it; then watches that it stays so. */
  async function reload(planned: Plan, signal: AbortSignal): Promise<void> {
    const failedToReload = (reason: string, error: unknown): void => {
      metrics.prometheusReloaded.set(0)
      note("reloading", reason, error)
    }
    const reloading = { signal, log, task: "reloading Prometheus", failed: failedToReload }
    let submitted: Accepted = planned
    if (!(await retry(async () => void (submitted = await submit(planned, signal)), reloading))) return
    metrics.prometheusReloaded.set(1)
    problem = undefined
    confirmed ??= new Date()
    const finishing = { signal, log, task: "finishing the Prometheus configuration" }
    const noted = [acceptedFile(submitted), beside?.()].filter((file) => file !== undefined)
    if (!(await retry(() => publish(folder, noted), finishing))) return
    if (!(await retry(() => removeStale(folder, submitted.files), finishing))) return
    await watchScrapePools(prometheus, planned.jobs ?? jobsIn(configOf(submitted) ?? ""), { metrics, log, signal })
  }

  /** What Prometheus accepted of it. Where it has the same configuration, tokens alone were renewed, which it reads by itself. */
  async function submit(planned: Plan, signal: AbortSignal): Promise<Accepted> {
    try {
      if (accepted !== undefined) await checkStarted(prometheus, signal)
      const { running, ...files } = await forRunning(planned, signal)
      const submitted = await write(files)
      const isSame = confirmed !== undefined && accepted !== undefined && configOf(submitted) === configOf(accepted)
      if (!isSame) {
        await reloadPrometheus(prometheus, signal)
        log.info({ url: prometheus.url.href, version: running }, "Prometheus reloaded")
      }
      return (written = accepted = submitted)
    } catch (error) {
      const fallback = signal.aborted && !isRefusal(error) ? undefined : fallbackAfter(error, planned)
      if (fallback !== undefined) await putBack(fallback, isRefusal(error), signal)
      throw error
    }
  }

  /** Prometheus refuses a configuration; its sites are to have new tokens all the same. */
  async function putBack(fallback: Accepted, isUp: boolean, signal: AbortSignal): Promise<void> {
    const next = await write(fallback)
    if (fallback !== accepted || !isUp || signal.aborted || next === accepted) return
    if (configOf(next) !== configOf(fallback)) await reloadPrometheus(prometheus, signal)
    written = accepted = next
    await publish(folder, [acceptedFile(next)])
  }

  /**
   * What is written after a failure. Files that Prometheus refuses do not stay: it could not start with them. While it is
   * down, perhaps because it cannot start with the files it finds, the new files and the accepted ones take turns.
   */
  function fallbackAfter(error: unknown, planned: Accepted): Accepted | undefined {
    if (isRefusal(error)) return accepted
    const isDown =
      error instanceof RequestFailed && ["dns", "refused", "connection"].includes(failureClass(error.reason))
    if (!isDown) return undefined
    return written === accepted ? planned : accepted
  }

  function supersede(work: (signal: AbortSignal) => Promise<void>): void {
    current.cancel.abort()
    const cancel = new AbortController()
    current = { cancel, done: current.done.then(() => work(cancel.signal)) }
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
    /** When Prometheus accepted the configuration that was started last; undefined while it has not. */
    confirmed: () => confirmed,
    /** Names of the rule files that it accepted, of those that the portal writes. */
    ruleFiles(): readonly string[] {
      const paths = (accepted?.files ?? []).map(({ path }) => path)
      return paths.filter((path) => path.startsWith("rules/")).map((path) => path.slice("rules/".length))
    },
    /** What keeps it from that; undefined where nothing failed yet. */
    problem: () => problem,
    /** The configuration file, where it is not what was written last. */
    async edited(): Promise<string | undefined> {
      const file = join(folder, CONFIG_FILE)
      const before = written
      const content = await readFile(file, "utf8").catch(() => undefined)
      const expected = writtenConfig
      // not while another is being written
      return expected === undefined || before !== written || content === expected ? undefined : file
    },
    /** Whether the folder is there, and no other portal's. */
    ownsFolder: () => ownsFolder,
    /** Rolls this out; the rollout of another that is under way ends. */
    start(next: Plan): void {
      plan = next
      confirmed = undefined
      supersede((signal) => rollOut(next, signal))
    },
    /** Tokens were renewed: brings them to Prometheus, with one reload where it needs one. */
    renewTokens(): void {
      const same = plan
      if (same === undefined) return
      supersede((signal) => (confirmed === undefined ? rollOut(same, signal) : reload(same, signal)))
    },
    /** What Prometheus has of the sites, with the files of their tokens. */
    accepted: () => accepted,
    /** Why Prometheus has no configuration yet; undefined once it was written. */
    notReady: () => notReady,
    async close(): Promise<void> {
      current.cancel.abort()
      await current.done
      await lock.close()
    },
  }
}

const configOf = ({ files }: Accepted): string | undefined => files.find(({ path }) => path === CONFIG_FILE)?.content

const isRefusal = (error: unknown): boolean => error instanceof FedstackError && error.code === "RELOAD_REFUSED"
