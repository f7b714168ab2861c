import { z } from "zod"
import {
  type CertificateEntry,
  certificateKeys,
  type IssuerEntry,
  issuerKeys,
  ownerName as name,
  type TokenEntry,
  tokenKeys,
} from "#core/auth/schema.ts"
import { expected, filled, parsed } from "#core/config/schema.ts"
import { between, duration, size } from "#core/config/settings.ts"
import { MOST_CHARACTERS, MOST_SELECTORS, requestBytes, upstreamTimeout } from "./settings.ts"

const count = (most: number) =>
  z
    .int(expected(`a whole number from 1 to ${most}`))
    .min(1, `must be a whole number from 1 to ${most}`)
    .max(most, `must be a whole number from 1 to ${most}`)

const RATE = "a number of requests above 0, at most 100000"
const limitsShape = {
  response_bytes: parsed("a size such as 256MiB", between(size, 1024, 2 ** 33, "from 1KiB to 8GiB")).optional(),
  series: count(1_000_000_000).optional(),
  concurrent: count(100_000).optional(),
  requests_per_second: z.number(expected(RATE)).positive(`must be ${RATE}`).max(100_000, `must be ${RATE}`).optional(),
  upstream_timeout: parsed("a duration such as 30s", upstreamTimeout).optional(),
  selectors: count(MOST_SELECTORS).optional(),
  selector_characters: count(MOST_CHARACTERS).optional(),
}
const limits = z.strictObject(limitsShape, expected(`a map of ${Object.keys(limitsShape).join(", ")}`))

/** What an entry shares and allows, however its client is authenticated. */
const clientKeys = {
  match: z
    .array(filled("a selector"), expected("a list of selectors"))
    .min(1, "must hold at least one selector: a client that may read nothing needs no entry"),
  enforce: z.boolean(expected("true or false")).default(false),
  share_everything: z.boolean(expected("true or false")).default(false),
  limits: limits.default({}),
}
export type ClientEntry = { readonly name: string } & z.output<z.ZodObject<typeof clientKeys>>

/** Its host, or what a name may hold of it. */
function nameOfIssuer(text: string): string {
  const shown = URL.canParse(text) ? new URL(text).hostname : text
  return shown.replaceAll(/[^\w.-]/g, "_").slice(0, 63) || "jwt"
}

const list = <T extends z.ZodType>(item: T, what: string) =>
  z.preprocess((value) => value ?? [], z.array(item, expected(what)))

const generalLimits = z
  .strictObject(
    {
      ...limitsShape,
      memory: parsed("a size", between(size, 2 ** 20, 2 ** 36, "from 1MiB to 64GiB")).optional(),
      request_bytes: parsed("a size such as 256KiB", requestBytes).optional(),
    },
    expected(`a map of ${Object.keys(limitsShape).join(", ")}, memory and request_bytes`),
  )
  .default({})
export type GeneralLimits = z.output<typeof generalLimits>

/** The entries of a file that lists clients. `Own`: what it knows of them besides. */
export interface ClientLists<Own = unknown> {
  readonly tokens: readonly (TokenEntry & ClientEntry & Own)[]
  readonly jwt: readonly (IssuerEntry & ClientEntry & Own)[]
  readonly certificates: readonly (CertificateEntry & ClientEntry & Own)[]
}

/** The keys of a file that lists clients. `own`: the keys that its entries have besides. */
export function clientKeysOf<Own extends z.ZodRawShape>(own: Own) {
  const token = z.strictObject(
    { name, ...tokenKeys, ...clientKeys, ...own },
    expected("an entry: a map with name, one of sha256, env, file and secrets, and match"),
  )
  const issuer = z
    .strictObject(
      { name: name.optional(), ...issuerKeys, ...clientKeys, ...own },
      expected("an entry: a map with issuer, audience, jwks and match"),
    )
    .transform((value) => {
      const entry = value as { readonly name?: string; readonly issuer: string }
      return { ...entry, name: entry.name ?? nameOfIssuer(entry.issuer) }
    })
  const certificate = z.strictObject(
    { name, ...certificateKeys, ...clientKeys, ...own },
    expected("an entry: a map with name, san or common_name, and match"),
  )
  type Lists = ClientLists<z.output<z.ZodObject<Own>>>
  const lists = {
    tokens: list(token, "a list of tokens"),
    jwt: list(issuer, "a list of issuers"),
    certificates: list(certificate, "a list of certificates"),
  } as unknown as { readonly [Key in keyof Lists]: z.ZodType<Lists[Key]> }
  return {
    ...lists,
    limits: generalLimits,
    reuse: parsed("a duration such as 1s", between(duration(0, Infinity), 0, 300, "at most 5m")).default(1),
    tls: z.undefined("stands in the file of --web.config.file").optional(),
  }
}
