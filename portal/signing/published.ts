import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { reasonOf } from "#core/files/read-text.ts"
import { writeAtomically } from "#core/files/write-atomically.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { parseRing, writeRing } from "./key-file.ts"
import { type Key, publicPart } from "./key.ts"
import type { KeyRing } from "./key-ring.ts"

const FILE = "published-keys.json"

/**
 * A copy of the public keys, in another folder than the keys: where those are lost, tokens that they signed stay valid until
 * they end, and the new key can be published before it signs.
 */
export function publishedCopy(folder: string, log: Logger) {
  const file = join(folder, FILE)
  let written: string | undefined
  const report = logChanges((reason?: string) => {
    if (reason !== undefined) log.warn({ file, reason }, "cannot note the published keys")
  })
  return {
    /** Without private parts. None where there is no copy, or none that can be read. */
    async read(): Promise<readonly Key[]> {
      try {
        return parseRing(await readFile(file, "utf8"), file).keys
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") report("it is not what fedstack portal writes")
        return []
      }
    },
    /** Of those that sign or have signed. */
    async write({ keys }: KeyRing): Promise<void> {
      const known = keys.filter(({ state }) => state !== "next")
      const content = writeRing({ keys: known.map((key) => ({ ...key, state: "retired", jwk: publicPart(key.jwk) })) })
      if (content === written || known.length === 0) return
      try {
        await writeAtomically([{ file, content, mode: 0o640 }])
        written = content
        report(undefined)
      } catch (error) {
        // before the first configuration is written there is no folder
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") report(reasonOf(error))
      }
    },
  }
}
