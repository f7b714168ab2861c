import { isUtf8 } from "node:buffer"
import { readFileSync } from "node:fs"
import { ConfigurationError, explain } from "#core/errors.ts"

/** The text of a file, read at once as core/files/watch.ts does. Throws ConfigurationError where it can't be read. */
export function readText(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new ConfigurationError([{ where: file, message: `can't be read: ${explain(error)}` }])
  }
  if (isUtf8(bytes)) return bytes.toString("utf8")
  throw new ConfigurationError([{ where: file, message: "is not UTF-8: save it in this encoding" }])
}
