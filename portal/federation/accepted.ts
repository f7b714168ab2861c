import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import type { Logger } from "#core/log/logger.ts"
import { reasonOf } from "#core/files/read-text.ts"
import { CONFIG_FILE, type OutputFile } from "./publish.ts"

const ACCEPTED_FILE = "accepted.json"
const filesSchema = z
  .array(
    z.strictObject({
      path: z.string().regex(/^(?:prometheus\.yml|(?:tokens|tls|rules)\/(?!\.{1,2}$)[^/]+)$/),
      content: z.string(),
    }),
  )
  .refine((list) => list.at(-1)?.path === CONFIG_FILE)
const schema = z.union([
  z.strictObject({
    sites: z.array(
      z.strictObject({
        name: z.string(),
        interval: z.number(),
        paused: z.object({}).optional(),
        jwt: z.strictObject({ audience: z.string(), match: z.array(z.string()).optional() }).optional(),
        secretFile: z.string().optional(),
      }),
    ),
    files: filesSchema,
  }),
  filesSchema.transform((files) => ({ sites: [], files })), // as it was written before
])

export interface AcceptedSite {
  readonly name: string
  readonly interval: number
  readonly paused?: object | undefined
  /** For what the portal signs its tokens, which go on to be renewed. */
  readonly jwt?: { readonly audience: string; readonly match?: readonly string[] | undefined } | undefined
  /** Of its token among the files. */
  readonly secretFile?: string | undefined
}

/** What is written for Prometheus, and the sites in it. */
export interface Accepted {
  readonly sites: readonly AcceptedSite[]
  readonly files: readonly OutputFile[]
}

/**
 * What Prometheus accepted last, in one file that is replaced whole: the next files have the same names, and may be refused.
 * It holds tokens and keys, and only the portal reads it.
 */
export const acceptedFile = ({ sites, files }: Accepted): OutputFile => ({
  path: ACCEPTED_FILE,
  content: JSON.stringify({
    sites: sites.map(({ name, interval, paused, jwt, secretFile }) => ({
      ...{ name, interval, ...(paused && { paused: {} }) },
      ...(jwt && { jwt, secretFile }),
    })),
    files: files.map(({ path, content }) => ({ path, content })),
  }),
  mode: 0o600,
})

/** What the previous portal process kept; undefined where there is nothing, or it cannot be read, which is logged. */
export async function readAccepted(folder: string, log: Logger): Promise<Accepted | undefined> {
  const file = join(folder, ACCEPTED_FILE)
  try {
    const { sites, files } = schema.parse(JSON.parse(await readFile(file, "utf8")))
    return { sites, files: files.map((kept) => ({ ...kept, mode: 0o640 })) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return undefined
    // the reasons of the parser and of the schema, which have no code, would show secrets
    const reason = code === undefined ? "it is not what fedstack portal writes" : reasonOf(error)
    log.warn({ file, reason }, "cannot read the last accepted configuration, continuing without it")
    return undefined
  }
}
