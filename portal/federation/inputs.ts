import { isUtf8 } from "node:buffer"
import { randomBytes } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
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
      const unreadable = (reason: string): ConfigurationError => {
        const subject = where === file ? "can't" : `the file ${file} can't`
        return new ConfigurationError([{ where, message: `${subject} be read: ${reason}` }])
      }
      let content: Buffer
      try {
        // a pipe would wait for a writer
        if (!(await stat(file)).isFile()) throw unreadable("it is no file")
        content = await readFile(file)
      } catch (error) {
        throw error instanceof ConfigurationError ? error : unreadable(reasonOf(error))
      }
      if (!isUtf8(content)) throw unreadable("it is not in UTF-8")
      return content.toString("utf8")
    },
  }
}
