import { randomBytes } from "node:crypto"
import { sha256 } from "#core/auth/secrets.ts"
import { component } from "#core/component.ts"

/** 256 bits: nobody guesses it, whatever rate of attempts a proxy lets through. */
const BYTES = 32

export const command = component({
  settings: {},
  once: () => true,
  run(_values, { print }) {
    const token = randomBytes(BYTES).toString("base64url")
    print(`token: ${token}\nsha256: ${sha256(token).toString("hex")}\n`)
    return Promise.resolve(undefined)
  },
})
