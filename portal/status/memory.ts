import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { writeAtomically } from "#core/files/write-atomically.ts"
import { reasonOf } from "#core/files/read-text.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { isDay } from "./day.ts"
import { STATES, type SiteChange } from "./overview.ts"
import type { Remembered } from "./tracked.ts"

/** For the portal alone, beside what Prometheus reads. */
const MEMORY_FILE = "status.json"
/** Bytes of one site. */
const MOST = 4096
const VERSION = 1

const seconds = z.number()
const scrape = z.strictObject({
  at: seconds,
  ok: z.boolean(),
  seconds: z.number().nullable(),
  series: z.number().nullable(),
  kept: z.number().nullable(),
})
const words = z.string().max(MOST).nullable()
const date = z.number().transform((value) => new Date(value))
const change = z.strictObject({
  at: date,
  until: date,
  count: z.int().positive(),
  state: z.enum(STATES),
  cause: words,
  reason: words,
  text: words,
})
const site = z
  .strictObject({
    url: z.string(),
    last: scrape.nullable(),
    error: z.string().max(MOST),
    failures: z.int().nonnegative(),
    failingSince: seconds.nullable(),
    delivered: seconds.nullable(),
    slow: z.int().nonnegative().default(0),
    state: z.enum(STATES),
    since: date,
    changes: z.array(change).max(20),
    day: z.strictObject({ ends: z.int(), letters: z.string() }).refine(isDay),
    seriesDayAgo: z.number().nullable(),
    listedSince: seconds,
  })
  .transform(({ url, last, error, failures, failingSince, delivered, slow, ...rest }) => ({
    url,
    remembered: {
      ...rest,
      record: {
        last: last ?? undefined,
        error,
        errorAt: undefined,
        failures,
        failingSince: failingSince ?? undefined,
        delivered: delivered ?? undefined,
        slow,
        health: undefined,
        listedAt: undefined,
      },
    } satisfies Remembered,
  }))
const schema = z
  .strictObject({ version: z.literal(VERSION), seen: date.optional(), sites: z.record(z.string(), site) })
  .transform(({ seen, sites }): Memory => ({ seen, sites: new Map(Object.entries(sites)) }))

/** What an earlier process noted. */
export interface Memory {
  /** When Prometheus had said how the sites are. */
  readonly seen: Date | undefined
  /** By their names, each with the url that it had. */
  readonly sites: ReadonlyMap<string, { readonly url: string; readonly remembered: Remembered }>
}

export const NO_MEMORY: Memory = { seen: undefined, sites: new Map() }

/** From the newest file of these folders. Nothing where there is none, or a damaged one, which is logged. */
export async function readMemory(folders: readonly string[], log: Logger): Promise<Memory> {
  const found = folders.map(async (folder) => {
    const file = join(folder, MEMORY_FILE)
    return { file, written: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 }
  })
  const [newest] = (await Promise.all(found)).toSorted((a, b) => b.written - a.written)
  return newest === undefined ? NO_MEMORY : readFrom(newest.file, log)
}

async function readFrom(file: string, log: Logger): Promise<Memory> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return NO_MEMORY
    const reason = code === undefined ? "it is not what fedstack portal writes" : reasonOf(error)
    log.warn({ file, reason }, "cannot read what was noted of the sites, beginning anew")
    return NO_MEMORY
  }
}

/** Each site within its bytes: of its changes, older ones lose their words first. */
export function memoryOf(
  sites: Iterable<readonly [name: string, url: string, remembered: Remembered]>,
  seen?: Date | null,
): string {
  const entries = Array.from(sites, ([name, url, remembered]) => `${JSON.stringify(name)}:${siteText(url, remembered)}`)
  const when = seen ? `"seen":${seen.getTime()},` : ""
  return `{"version":${VERSION},${when}"sites":{${entries.join(",\n")}}}\n`
}

/** Field by field: what is given may hold more. */
function siteText(url: string, { record, since, changes, state, day, seriesDayAgo, listedSince }: Remembered): string {
  const { last = null, error, failures, failingSince = null, delivered = null, slow } = record
  const scrapes = { last, error: error.slice(0, 300), failures, failingSince, delivered, slow }
  const core = { url, ...scrapes, state, since: since.getTime(), day, seriesDayAgo, listedSince }
  let left = MOST - Buffer.byteLength(JSON.stringify(core)) - 20
  const kept: string[] = []
  for (const one of changes) {
    const whole = changeText(one)
    const shown = Buffer.byteLength(whole) <= left / 2 ? whole : changeText({ ...one, reason: null, text: null })
    left -= Buffer.byteLength(shown) + 1
    if (left < 0) break
    kept.push(shown)
  }
  return `${JSON.stringify(core).slice(0, -1)},"changes":[${kept.join(",")}]}`
}

const changeText = ({ at, until, ...rest }: SiteChange): string =>
  JSON.stringify({ at: at.getTime(), until: until.getTime(), ...rest })

/** Writes what changed, at most so often; a disk that is full is tried again, and logged once. */
export function keepMemory(folder: string, { log, content, mayWrite }: MemoryOptions) {
  const file = join(folder, MEMORY_FILE)
  let written = ""
  let writing: Promise<void> = Promise.resolve()
  const report = logChanges((reason?: string) => {
    if (reason === undefined) log.info({ file }, "noting the sites' states again")
    else log.warn({ file, reason }, "cannot note the sites' states: they are lost when the portal restarts")
  })
  async function write(): Promise<void> {
    const text = content()
    if (text === written || !mayWrite()) return
    try {
      await writeAtomically([{ file, content: text, mode: 0o600 }])
      written = text
      report(undefined)
    } catch (error) {
      report(reasonOf(error))
    }
  }
  return {
    /** Resolves when it is written, or could not be. */
    write: (): Promise<void> => (writing = writing.then(write)),
  }
}

interface MemoryOptions {
  readonly log: Logger
  readonly content: () => string
  /** Whether the folder is there, and this process the only one that writes to it. */
  readonly mayWrite: () => boolean
}
