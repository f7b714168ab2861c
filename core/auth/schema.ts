import { z } from "zod"
import { expected, filled, oneOrMore, parsed } from "#core/config/schema.ts"
import { between, duration, httpUrl, type Parse, Wrong } from "#core/config/settings.ts"

/** Of the owner of an entry. */
export const ownerName = z
  .string(expected("a name such as portal"))
  .regex(
    /^[a-z\d](?:[\w.-]{0,61}[a-z\d])?$/i,
    "must be 1 to 63 letters, digits, dots, dashes and underscores, with a letter or digit at both ends",
  )

const MOMENT = /^\d{4}-\d\d-(\d\d)(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/
const moment = parsed("a moment such as 2026-12-31 or 2026-12-31T12:00:00Z", (text) => {
  const [, day] = MOMENT.exec(text) ?? []
  // 30 February would become 2 March
  const isDate = new Date(`${text.slice(0, 10)}T00:00Z`).getUTCDate() === Number(day)
  const date = new Date(text)
  if (isDate && !Number.isNaN(date.getTime())) return date
  return new Wrong("must be a moment such as 2026-12-31 (its beginning, UTC) or 2026-12-31T12:00:00Z")
})
const validity = { valid_from: moment.optional(), not_after: moment.optional() }

const sha256 = z
  .string(expected("64 hexadecimal digits, as 'fedstack token hash' prints"))
  .regex(/^[\da-f]{64}$/i, "must be 64 hexadecimal digits, as 'fedstack token hash' prints")
const variable = filled("the name of a variable").regex(/^\w+$/, "must be the name of a variable")
const file = filled("the name of a file")

const secret = z.strictObject(
  { sha256: sha256.optional(), env: variable.optional(), file: file.optional(), ...validity },
  expected("a map with one of sha256, env and file, and valid_from or not_after"),
)

/** Keys of an entry whose owner has static tokens. */
export const tokenKeys = {
  sha256: oneOrMore(sha256, "64 hexadecimal digits").optional(),
  env: oneOrMore(variable, "the name of a variable").optional(),
  file: oneOrMore(file, "the name of a file").optional(),
  ...validity,
  secrets: z.array(secret, expected("a list of secrets")).min(1, "must hold at least one secret").optional(),
}

const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
] as const
const algorithm = z.enum(ALGORITHMS, expected(`one of ${ALGORITHMS.join(", ")}; others are not safe here`))

/** As text: the file may be read by a worker, and URLs cannot be sent. */
const keysUrl: Parse<string> = (text) => {
  const url = httpUrl(/^https?:\/\/[^\s\\]+$/i.test(text) ? text : "")
  if (url instanceof Wrong) return url
  return url.hash === "" ? url.href : new Wrong("must have no fragment (#)")
}

/** Keys of an entry whose owner has the tokens of an issuer. */
export const issuerKeys = {
  issuer: filled("the tokens' iss, such as https://portal.example.org"),
  audience: oneOrMore(filled("the tokens' aud"), "the tokens' aud, such as site-a"),
  jwks: z
    .strictObject(
      { url: parsed("a URL", keysUrl).optional(), file: file.optional(), ca_file: file.optional() },
      expected("{url: https://…} or {file: NAME}"),
    )
    .refine(({ url, file: path }) => (url === undefined) !== (path === undefined), "must hold either url or file")
    .refine(({ url, ca_file: ca }) => ca === undefined || url !== undefined, "ca_file goes with url alone"),
  algorithms: z
    .array(algorithm, expected("a list of algorithms"))
    .min(1, "must hold at least one algorithm")
    .default([...ALGORITHMS]),
  clock_tolerance: parsed("a duration such as 30s", between(duration(0, Infinity), 0, 300, "at most 5m")).default(30),
}

const SAN = "a name such as DNS:portal.example.org, URI:spiffe://example.org/portal or email:portal@example.org"
const san = z
  .string(expected(SAN))
  .regex(/^(?:dns|uri|email):\S+$/i, `must be ${SAN}`)
  .transform((text) => {
    const [, kind = "", value = ""] = /^(\w+):(.*)$/s.exec(text) ?? []
    return `${kind.toLowerCase() === "email" ? "email" : kind.toUpperCase()}:${value}`
  })

/** Keys of an entry whose owner has client certificates. */
export const certificateKeys = {
  san: oneOrMore(san, SAN).optional(),
  common_name: oneOrMore(filled("a common name"), "the common name of a subject").optional(),
}

export type TokenEntry = z.output<z.ZodObject<typeof tokenKeys>>
export type IssuerEntry = z.output<z.ZodObject<typeof issuerKeys>>
export type CertificateEntry = z.output<z.ZodObject<typeof certificateKeys>>
