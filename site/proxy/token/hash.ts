import { sha256 } from "#core/auth/secrets.ts"
import { readToken } from "./read.ts"

/** Of the token in a file or, for an empty name, on standard input. */
export async function printHash(file: string, print: (text: string) => void): Promise<undefined> {
  print(`${sha256(await readToken(file)).toString("hex")}\n`)
}
