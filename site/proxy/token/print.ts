import { randomBytes } from "node:crypto"
import { text as readAll } from "node:stream/consumers"
import { sha256 } from "#core/auth/secrets.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"

/** 256 bits cannot be guessed, at any rate of attempts that a proxy allows. */
const BYTES = 32

export function printNewToken(print: (text: string) => void): undefined {
  const token = randomBytes(BYTES).toString("base64url")
  print(`token: ${token}\nsha256: ${sha256(token).toString("hex")}\n`)
}

/** Of the token in a file or, for an empty name, on standard input. */
export async function printHash(file: string, print: (text: string) => void): Promise<undefined> {
  print(`${sha256(await readToken(file)).toString("hex")}\n`)
}

/** The one token in a file or, for an empty name, on standard input. Throws ConfigurationError, which never shows it. */
export async function readToken(file: string): Promise<string> {
  const where = file === "" ? "standard input" : file
  const token = (file === "" ? await readAll(process.stdin) : readText(file)).trim()
  if (token === "") throw new ConfigurationError([{ where, message: "holds no token" }])
  if (/\s/.test(token)) throw new ConfigurationError([{ where, message: "holds more than one word; give one token" }])
  return token
}
