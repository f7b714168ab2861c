import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineError, explain } from "#core/errors.ts"
import { openLogs } from "./logs.ts"
import { Processes } from "./processes.ts"
import type { Progress } from "./progress.ts"
import type { Prometheus } from "./prometheus.ts"

export const noFolder = defineError(
  "NO_FOLDER",
  500,
  "Cannot write to the folder for temporary files or logs ({reason}). Make room or make it writable, or name another in TMPDIR.",
)

/** What everything that is started in one run needs. */
export interface Run {
  /** Configuration and data; removed at the end. */
  readonly folder: string
  /** Stays. */
  readonly logs: string
  readonly processes: Processes
  readonly progress: Progress
  readonly prometheus: Prometheus
  /** The launcher of our own components. */
  readonly fedstack: string
  /** Lets the portal read every site; made for this run only. */
  readonly token: string
  readonly tokenFile: string
  /** Seconds between scrapes. */
  readonly interval: number
  /** Whether the end of any process ends everything. */
  readonly strict: boolean
  /** Aborted when everything is to be stopped. */
  readonly signal: AbortSignal
}

export type RunOptions = Pick<Run, "prometheus" | "fedstack" | "progress" | "interval" | "strict" | "signal"> & {
  /** Folder of the logs of all runs. */
  readonly logs: string
}

/** Makes the folders of a run, in which nothing runs yet. Throws NO_FOLDER. */
export async function openRun(options: RunOptions): Promise<Run> {
  const token = randomBytes(24).toString("base64url")
  let folder: string | undefined
  try {
    folder = await mkdtemp(join(tmpdir(), "fedstack-up-"))
    const tokenFile = join(folder, "token")
    await writeFile(tokenFile, `${token}\n`, { mode: 0o600 })
    const logs = await openLogs(options.logs, new Date())
    return { ...options, folder, logs, processes: new Processes(folder, logs), token, tokenFile }
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    throw noFolder({ reason: explain(error) })
  }
}
