import { text as readAll } from "node:stream/consumers"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"

/** The one token in a file or, for an empty name, on standard input. Throws ConfigurationError, which never shows it. */
export async function readToken(file: string): Promise<string> {
  const where = file === "" ? "standard input" : file
  const text = file === "" ? await readAll(process.stdin) : readText(file)
  const token = text.trim()
  if (token === "") throw new ConfigurationError([{ where, message: "holds no token" }])
  if (/\s/.test(token)) throw new ConfigurationError([{ where, message: "holds more than one word; give one token" }])
  return token
}
