import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import type { Logger } from "#core/log/logger.ts"
import { reasonOf } from "#core/files/read-text.ts"
import { CONFIG_FILE, type OutputFile } from "./publish.ts"

const ACCEPTED_FILE = "accepted.json"
const schema = z
  .array(
    z.strictObject({
      path: z.string().regex(/^(?:prometheus\.yml|(?:tokens|tls|rules)\/(?!\.{1,2}$)[^/]+)$/),
      content: z.string(),
    }),
  )
  .refine((files) => files.at(-1)?.path === CONFIG_FILE)

/**
 * The files that Prometheus accepted last, in one file that is replaced whole: the next ones have the same names, and may
 * be refused. It holds tokens and keys, and only the portal reads it.
 */
export const acceptedFile = (files: readonly OutputFile[]): OutputFile => ({
  path: ACCEPTED_FILE,
  content: JSON.stringify(files.map(({ path, content }) => ({ path, content }))),
  mode: 0o600,
})

/** What the previous portal process kept; undefined where there is nothing, or it cannot be read, which is logged. */
export async function readAccepted(folder: string, log: Logger): Promise<readonly OutputFile[] | undefined> {
  const file = join(folder, ACCEPTED_FILE)
  try {
    const files = schema.parse(JSON.parse(await readFile(file, "utf8")))
    return files.map((kept) => ({ ...kept, mode: 0o640 }))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return undefined
    // the reasons of the parser and of the schema, which have no code, would show secrets
    const reason = code === undefined ? "it is not what fedstack portal writes" : reasonOf(error)
    log.warn({ file, reason }, "cannot read the last accepted configuration, continuing without it")
    return undefined
  }
}
