import { randomBytes } from "node:crypto"
import { resolve } from "node:path"
import type { ReadText } from "#core/files/read-text.ts"

/** Where the configuration comes from. */
export interface Inputs {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes names of token files that say nothing about the token to who does not know it. */
  readonly key: Buffer
  readonly read: ReadText
  /** Every file that was asked for, readable or not. */
  readonly files: ReadonlySet<string>
}

export function openInputs(env: Inputs["env"], read: ReadText, key = randomBytes(32)): Inputs {
  const files = new Set<string>()
  return {
    env,
    key,
    files,
    read(file, where) {
      files.add(resolve(file))
      return read(file, where)
    },
  }
}
