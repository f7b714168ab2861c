import { readFile, rename, stat } from "node:fs/promises"
import { hostname } from "node:os"
import { Gauge, type Registry } from "prom-client"
import { ConfigurationError, explain } from "#core/errors.ts"
import { writeAtomically } from "#core/files/write-atomically.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import { type CloudState, EMPTY, readState } from "./state.ts"

/** What is remembered of all clouds, in memory and, where there is a file, on disk. */
export interface StateFile {
  readonly isPersistent: boolean
  of(cloud: string): CloudState
  set(cloud: string, state: CloudState): void
  /** Writes what was set. A disk that is full or broken is logged and shown in a metric; memory goes on. */
  save(): Promise<void>
}

export interface StateOptions {
  readonly log: Logger
  readonly registry: Registry
  /** The id of the pool, in whose parts a file of version 1 is to be understood. */
  readonly pool?: string | undefined
  /** Seconds that an update waits for the disk. */
  readonly patience?: number
  readonly write?: typeof writeAtomically
}

/**
 * Reads what was remembered. A file that holds something else is logged and kept aside, and everything begins anew.
 * Throws ConfigurationError if it cannot be read: its content would be lost with the first save.
 */
export async function openStateFile(
  file: string | undefined,
  { log, registry, pool, patience = 10, write: writeFile = writeAtomically }: StateOptions,
): Promise<StateFile> {
  const clouds = new Map<string, CloudState>(file === undefined ? [] : await read(file, pool, log))
  const of = (cloud: string): CloudState => clouds.get(cloud) ?? EMPTY
  const set = (cloud: string, state: CloudState): void => void clouds.set(cloud, state)
  if (file === undefined) return { isPersistent: false, of, set, save: () => Promise.resolve() }
  const up = new Gauge({
    name: "fedstack_project_usage_state_file_last_write_successful",
    help: "1 if the state file could be written after the last update, 0 if not: then a restart loses what it holds.",
    registers: [registry],
  })
  let seen = await versionOf(file)
  const failed = (reason: string): void => {
    up.set(0)
    log.error(
      { file, reason },
      "the state file cannot be written: a restart now forgets the tags of deleted servers, and usage may fall",
    )
  }
  const write = async (): Promise<void> => {
    try {
      const found = await versionOf(file)
      const isForeign = found !== undefined && found !== seen
      seen = found
      if (isForeign) return failed("another process has written it. Give each exporter a state file of its own")
      const content = JSON.stringify({ version: 2, clouds: Object.fromEntries(clouds) })
      // a second exporter, on another host of the same disk too, has temporary files of its own
      await writeFile([{ file, content, mode: 0o600 }], `.${hostname()}.${process.pid}`)
      seen = await versionOf(file)
      up.set(1)
    } catch (error) {
      failed(explain(error))
    }
  }
  let last: Promise<void> = Promise.resolve()
  return {
    isPersistent: true,
    of,
    set,
    async save() {
      // one that was too slow has an older state
      const isFree = await doneWithin(patience, last)
      if (isFree) last = write()
      if (!isFree || !(await doneWithin(patience, last))) failed(`the disk takes more than ${patience} s`)
    },
  }
}

async function read(file: string, pool: string | undefined, log: Logger): Promise<[string, CloudState][]> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      log.info({ file }, "there is no state file yet")
      return []
    }
    const reason =
      (error as NodeJS.ErrnoException).code === "EISDIR"
        ? "it is a folder; name a file in it, which need not exist yet"
        : explain(error)
    throw new ConfigurationError([{ where: file, message: `cannot be read (--state-file): ${reason}` }])
  }
  try {
    return Object.entries(readState(text, pool))
  } catch (error) {
    const aside = `${file}.broken`
    await rename(file, aside).catch((cause: unknown) =>
      log.error({ reason: explain(cause) }, "the broken state file cannot be kept aside"),
    )
    log.error({ file, aside, reason: explain(error) }, "the state file is broken: everything begins anew")
    return []
  }
}

/** What distinguishes the file from one that another process has put in its place; undefined if there is none. */
async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(file, { bigint: true })
    return `${ino} ${mtimeNs}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}
