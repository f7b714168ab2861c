import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { z } from "zod"
import type { Logger } from "#core/log/logger.ts"
import { readAccepted } from "./accepted.ts"
import { CONFIG_FILE, HEADER, type OutputFile } from "./publish.ts"
import type { Shard } from "./shards.ts"

/** A folder for a Prometheus that the portal no longer knows, with as many sites as its configuration still has. */
export interface FormerShard {
  readonly name: string
  readonly folder: string
  readonly sites: number
}

const FILE = "shards.json"
const schema = z.array(z.strictObject({ name: z.string(), folder: z.string() }))
type Known = z.output<typeof schema>

/** What a shard's folder has noted of all shards; nothing where it cannot be read. */
async function readKnown(folder: string): Promise<Known> {
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, FILE), "utf8")))
  } catch {
    return [] // what is lost is a hint alone
  }
}

/** Finds the folders of shards that were given before and are no longer, by what is noted in those of the present ones. */
export function openFormerShards(shards: readonly Shard[], log: Logger) {
  const present = shards.map(({ name, folder }) => ({ name, folder: resolve(folder) }))
  const folders = new Set(present.map(({ folder }) => folder))
  let former: Known = []
  return {
    /** Before the first configuration is written. */
    async read(): Promise<void> {
      const noted = (await Promise.all(shards.map(({ folder }) => readKnown(folder)))).flat()
      const others = noted.filter(({ folder }) => !folders.has(folder))
      former = [...new Map(others.map((one) => [one.folder, one])).values()]
    },
    /** Those in which there still is a configuration. */
    async find(): Promise<readonly FormerShard[]> {
      const found = await Promise.all(former.map(async (one) => ({ ...one, sites: await sitesIn(one.folder, log) })))
      former = former.filter((_, index) => found[index]?.sites !== undefined)
      return found.flatMap(({ sites, ...one }) => (sites === undefined ? [] : [{ ...one, sites }]))
    },
    folders: (): readonly string[] => former.map(({ folder }) => folder),
    /** For the folder of each shard; none where there is but one without a name. */
    file: (): OutputFile | undefined =>
      shards.some(({ named }) => named)
        ? { path: FILE, content: `${JSON.stringify([...present, ...former])}\n`, mode: 0o600 }
        : undefined,
  }
}

export type FormerShards = ReturnType<typeof openFormerShards>

/** Undefined where there is no configuration of ours. */
async function sitesIn(folder: string, log: Logger): Promise<number | undefined> {
  const content = await readFile(join(folder, CONFIG_FILE), "utf8").catch(() => undefined)
  if (!content?.startsWith(HEADER)) return undefined
  return (await readAccepted(folder, log))?.sites.length ?? 0
}
