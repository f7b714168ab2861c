import { statSync } from "node:fs"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"

/** One of several files that a command reads, so that a folder can be named by the files in it. Throws ConfigurationError. */
export function readOneOf(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new ConfigurationError([
      { where: file, message: `is a folder; name the files in it, such as ${file.replace(/\/$/, "")}/*.yaml` },
    ])
  return readText(file)
}
