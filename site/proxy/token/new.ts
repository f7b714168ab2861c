import { randomBytes } from "node:crypto"
import { sha256 } from "#core/auth/secrets.ts"

/** 256 bits cannot be guessed, at any rate of attempts that a proxy allows. */
const BYTES = 32

export function printNewToken(print: (text: string) => void): undefined {
  const token = randomBytes(BYTES).toString("base64url")
  print(`token: ${token}\nsha256: ${sha256(token).toString("hex")}\n`)
}
