import { join } from "node:path"
import { z } from "zod"
import { ConfigurationError } from "#core/errors.ts"
import { ALGORITHMS } from "./algorithms.ts"
import type { Key } from "./key.ts"
import type { KeyRing } from "./key-ring.ts"

export const KEY_FILE = "signing-keys.json"
const VERSION = 1

const text = z.string().min(1)
const jwk = z.strictObject({ kty: text, crv: text, x: text, y: text.optional(), d: text.optional() })
const key = z
  .strictObject({
    kid: text,
    alg: z.enum(ALGORITHMS),
    created: z.number(),
    state: z.enum(["next", "signing", "retired"]),
    since: z.number(),
    until: z.number().optional(),
    jwk,
  })
  .refine(({ state, jwk: { d } }) => state === "retired" || d !== undefined)
const schema = z.strictObject({ version: z.literal(VERSION), served: z.string().optional(), keys: z.array(key).min(1) })

export const keyFileOf = (folder: string): string => join(folder, KEY_FILE)

export const writeRing = ({ keys, served }: KeyRing): string =>
  `${JSON.stringify({ version: VERSION, served, keys }, null, 2)}\n`

/** Throws ConfigurationError, whose message shows nothing of the text. */
export function parseRing(content: string, file: string): KeyRing {
  const { keys, served } = parse(content, file)
  return { keys: keys.map(withoutUndefined), served }
}

function parse(content: string, file: string): z.output<typeof schema> {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    throw unusable(file, "is not whole, or no JSON")
  }
  const result = schema.safeParse(value)
  if (!result.success) throw unusable(file, "does not hold keys that sign tokens, as fedstack portal writes them")
  if (result.data.keys.filter(({ state }) => state === "signing").length > 1)
    throw unusable(file, "holds two keys that sign")
  return result.data
}

const unusable = (file: string, what: string): ConfigurationError =>
  new ConfigurationError([
    {
      where: file,
      message: `${what}; put back a copy of it, or delete it: the portal then makes a new key, and signs with it 10 minutes later`,
    },
  ])

function withoutUndefined({ until, jwk: { y, d, ...rest }, ...one }: z.output<typeof key>): Key {
  const whole = { ...rest, ...(y !== undefined && { y }), ...(d !== undefined && { d }) }
  return { ...one, ...(until !== undefined && { until }), jwk: whole }
}
