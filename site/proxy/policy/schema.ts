import { z } from "zod"
import { expected, filled, oneOrMore, parsed } from "#core/config/schema.ts"
import { duration, httpUrl, type Parse, size, Wrong } from "#core/config/settings.ts"

const name = z
  .string(expected("a name such as portal"))
  .regex(
    /^[a-z\d](?:[\w.-]{0,61}[a-z\d])?$/i,
    "must be 1 to 63 letters, digits, dots, dashes and underscores, with a letter or digit at both ends",
  )

const between =
  <T extends number>(parse: Parse<T>, least: T, most: T, shown: string): Parse<T> =>
  (text) => {
    const value = parse(text)
    if (value instanceof Wrong || (value >= least && value <= most)) return value
    return new Wrong(`must be ${shown}`)
  }
const count = (most: number) =>
  z
    .int(expected(`a whole number from 1 to ${most}`))
    .min(1, `must be a whole number from 1 to ${most}`)
    .max(most, `must be a whole number from 1 to ${most}`)

export const wholeAnswer = between(duration(0, Infinity), 0.1, 3600, "from 100ms to 1h")

const RATE = "a number of requests above 0, at most 100000"
const limitsShape = {
  response_bytes: parsed("a size such as 256MiB", between(size, 1024, 2 ** 33, "from 1KiB to 8GiB")).optional(),
  series: count(1_000_000_000).optional(),
  concurrent: count(100_000).optional(),
  requests_per_second: z.number(expected(RATE)).positive(`must be ${RATE}`).max(100_000, `must be ${RATE}`).optional(),
  upstream_timeout: parsed("a duration such as 30s", wholeAnswer).optional(),
}
const limits = z.strictObject(
  limitsShape,
  expected("a map of response_bytes, series, concurrent, requests_per_second and upstream_timeout"),
)

const DAY = /^\d{4}-\d\d-\d\d$/
const MOMENT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/
const moment = parsed("a moment such as 2026-12-31 or 2026-12-31T12:00:00Z", (text) => {
  const date = DAY.test(text) || MOMENT.test(text) ? new Date(text) : new Date(Number.NaN)
  // 30 February would become 2 March
  const right =
    !Number.isNaN(date.getTime()) && new Date(`${text.slice(0, 10)}T00:00Z`).getUTCDate() === Number(text.slice(8, 10))
  return right ? date : new Wrong("must be a moment such as 2026-12-31 (its beginning, UTC) or 2026-12-31T12:00:00Z")
})
const validity = { valid_from: moment.optional(), not_after: moment.optional() }

const sha256 = z
  .string(expected("64 hexadecimal digits, as 'fedstack token hash' prints"))
  .regex(/^[\da-f]{64}$/i, "must be 64 hexadecimal digits, as 'fedstack token hash' prints")
const variable = filled("the name of a variable").regex(/^\w+$/, "must be the name of a variable")
const file = filled("the name of a file")

/** What an entry shares and allows, however its client proves who it is. */
const grant = {
  match: z
    .array(filled("a selector"), expected("a list of selectors"))
    .min(1, "must hold at least one selector: who may read nothing needs no entry"),
  enforce: z.boolean(expected("true or false")).default(false),
  share_everything: z.boolean(expected("true or false")).default(false),
  limits: limits.default({}),
}

const token = z.strictObject(
  {
    name,
    sha256: oneOrMore(sha256, "64 hexadecimal digits").optional(),
    env: oneOrMore(variable, "the name of a variable").optional(),
    file: oneOrMore(file, "the name of a file").optional(),
    ...validity,
    secrets: z
      .array(
        z.strictObject(
          { sha256: sha256.optional(), env: variable.optional(), file: file.optional(), ...validity },
          expected("a map with one of sha256, env and file, and valid_from or not_after"),
        ),
        expected("a list of secrets"),
      )
      .min(1, "must hold at least one secret")
      .optional(),
    ...grant,
  },
  expected("an entry: a map with name, one of sha256, env, file and secrets, and match"),
)

export const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
] as const
const algorithm = z.enum(ALGORITHMS, expected(`one of ${ALGORITHMS.join(", ")}; others are not safe here`))

const LONGEST_TOLERANCE = 300
const issuer = z.strictObject(
  {
    name: name.optional(),
    issuer: filled("what the tokens' iss says, such as https://portal.example.org"),
    audience: oneOrMore(filled("what the tokens' aud says"), "what the tokens' aud says, such as site-a"),
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
    clock_tolerance: parsed(
      "a duration such as 30s",
      between(duration(0, Infinity), 0, LONGEST_TOLERANCE, "at most 5m"),
    ).default(30),
    ...grant,
  },
  expected("an entry: a map with issuer, audience, jwks and match"),
)

const SAN = "a name such as DNS:portal.example.org, URI:spiffe://example.org/portal or email:portal@example.org"
const san = z
  .string(expected(SAN))
  .regex(/^(?:dns|uri|email):\S+$/i, `must be ${SAN}`)
  .transform((text) => {
    const [, kind = "", value = ""] = /^(\w+):(.*)$/s.exec(text) ?? []
    return `${kind.toLowerCase() === "email" ? "email" : kind.toUpperCase()}:${value}`
  })
const certificate = z.strictObject(
  {
    name,
    san: oneOrMore(san, SAN).optional(),
    common_name: oneOrMore(filled("a common name"), "the common name of a subject").optional(),
    ...grant,
  },
  expected("an entry: a map with name, san or common_name, and match"),
)

function plainUrl(text: string): URL | Wrong {
  return httpUrl(/^https?:\/\/[^\s\\]+$/i.test(text) ? text : "")
}

/** As text: the file may be read by a worker, and URLs can't be sent. */
function keysUrl(text: string): string | Wrong {
  const url = plainUrl(text)
  if (url instanceof Wrong) return url
  return url.hash === "" ? url.href : new Wrong("must have no fragment (#)")
}

function upstreamUrl(text: string): string | Wrong {
  const url = plainUrl(text)
  if (url instanceof Wrong) return url
  if (/[?#]/.test(text)) return new Wrong("must not have a query or a fragment; a path prefix is fine")
  return url.href
}

const upstreamPath: Parse<string> = (text) =>
  /^(?:\/[\w.~:-]+)+$/.test(text) && !/\/\.\.?(?:\/|$)/.test(text)
    ? text
    : new Wrong("must be a path such as /federate, of letters, digits, -._~: and / only")

const list = <T extends z.ZodType>(item: T, what: string) =>
  z.preprocess((value) => value ?? [], z.array(item, expected(what)))

export const policySchema = z.strictObject(
  {
    upstreams: z
      .array(parsed("a URL such as http://prometheus:9090", upstreamUrl), expected("a list of URLs"))
      .min(1, "must hold at least one URL")
      .default(["http://prometheus:9090"]),
    path: parsed("a path such as /federate", upstreamPath).default("/federate"),
    tokens: list(token, "a list of tokens"),
    jwt: list(issuer, "a list of issuers"),
    certificates: list(certificate, "a list of certificates"),
    limits: z
      .strictObject(
        { ...limitsShape, memory: parsed("a size", between(size, 2 ** 20, 2 ** 36, "from 1MiB to 64GiB")).optional() },
        expected("a map of response_bytes, series, concurrent, requests_per_second, upstream_timeout and memory"),
      )
      .default({}),
    reuse: parsed("a duration such as 1s", between(duration(0, Infinity), 0, 300, "at most 5m")).default(1),
    tls: z.undefined("stands in the file of --web.config.file").optional(),
  },
  expected("a map with upstreams, and with tokens, jwt or certificates"),
)

export type PolicyFile = z.output<typeof policySchema>
export type TokenEntry = z.output<typeof token>
export type IssuerEntry = z.output<typeof issuer>
export type CertificateEntry = z.output<typeof certificate>
export type Grant = Pick<TokenEntry, keyof typeof grant>
