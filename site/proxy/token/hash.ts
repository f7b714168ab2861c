import { sha256 } from "#core/auth/secrets.ts"
import { component } from "#core/component.ts"
import { readToken, tokenArgument } from "./read.ts"

export const command = component({
  settings: {},
  argument: tokenArgument,
  once: () => true,
  async run(_values, { print }, file) {
    print(`${sha256(await readToken(file)).toString("hex")}\n`)
    return undefined
  },
})
