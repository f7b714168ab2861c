import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { ConfigurationError } from "#core/errors.ts"
import { reasonOf } from "./errors.ts"

/** Where the configuration comes from. */
export interface Inputs {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes names of token files that say nothing about the token to who does not know it. */
  readonly key: Buffer
  /** Throws ConfigurationError; `where` names the key that asks for the file. */
  read(file: string, where?: string): Promise<string>
  /** Every file that was asked for, readable or not: what to watch. */
  readonly files: ReadonlySet<string>
}

export function openInputs(env: Inputs["env"], key = randomBytes(32)): Inputs {
  const files = new Set<string>()
  return {
    env,
    key,
    files,
    async read(file, where = file) {
      files.add(resolve(file))
      try {
        return await readFile(file, "utf8")
      } catch (error) {
        const subject = where === file ? "can't" : `the file ${file} can't`
        throw new ConfigurationError([{ where, message: `${subject} be read: ${reasonOf(error)}` }])
      }
    },
  }
}
