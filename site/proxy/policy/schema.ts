import { z } from "zod"
import { certificateKeys, issuerKeys, ownerName as name, tokenKeys } from "#core/auth/schema.ts"
import { basicAuth, instead, tlsShape, token as upstreamToken } from "#core/http/credential-schema.ts"
import { expected, filled, parsed } from "#core/config/schema.ts"
import { between, duration, httpUrl, type Parse, size, Wrong } from "#core/config/settings.ts"
import { MOST_CHARACTERS, MOST_SELECTORS, requestBytes, upstreamTimeout } from "../settings.ts"

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

const token = z.strictObject(
  { name, ...tokenKeys, ...clientKeys },
  expected("an entry: a map with name, one of sha256, env, file and secrets, and match"),
)
const issuer = z
  .strictObject(
    { name: name.optional(), ...issuerKeys, ...clientKeys },
    expected("an entry: a map with issuer, audience, jwks and match"),
  )
  .transform((entry) => ({ ...entry, name: entry.name ?? nameOfIssuer(entry.issuer) }))

/** Its host, or what a name may hold of it. */
function nameOfIssuer(text: string): string {
  const shown = URL.canParse(text) ? new URL(text).hostname : text
  return shown.replaceAll(/[^\w.-]/g, "_").slice(0, 63) || "jwt"
}

const certificate = z.strictObject(
  { name, ...certificateKeys, ...clientKeys },
  expected("an entry: a map with name, san or common_name, and match"),
)

/** As text: the file may be read by a worker, and URLs cannot be sent. */
const upstreamUrl: Parse<string> = (text) => {
  const url = httpUrl(/^https?:\/\/[^\s\\]+$/i.test(text) ? text : "")
  if (url instanceof Wrong) return url
  if (/[?#]/.test(text)) return new Wrong("must not have a query or a fragment; a path prefix is fine")
  return url.href.replace(/\/+$/, "")
}

const upstreamPath: Parse<string> = (text) =>
  /^(?:\/[\w.~:-]+)+$/.test(text) && !/\/\.\.?(?:\/|$)/.test(text)
    ? text
    : new Wrong("must be a path such as /federate, of letters, digits, -._~: and / only")

const upstreamText = parsed("a URL such as http://prometheus:9090", upstreamUrl)
const upstreamEntry = z.strictObject({
  url: upstreamText,
  token: upstreamToken.optional(),
  basic_auth: basicAuth.optional(),
  tls: z
    .strictObject(
      { ...tlsShape, min_version: instead("is not known here; TLS 1.2 is the least") },
      expected("a map of ca_file, server_name, cert_file and key_file"),
    )
    .optional(),
})
type Upstream = z.output<typeof upstreamEntry>

/** A URL, or a map of one and what it needs. Not as a union, whose faults would say nothing of the map's keys. */
const upstream = z.unknown().transform((value, context): Upstream => {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value)
  const found = isMap
    ? upstreamEntry.safeParse(value)
    : upstreamText.transform((url): Upstream => ({ url })).safeParse(value)
  if (found.success) return found.data
  for (const issue of found.error.issues) context.issues.push({ ...issue, input: undefined })
  return z.NEVER
})

const list = <T extends z.ZodType>(item: T, what: string) =>
  z.preprocess((value) => value ?? [], z.array(item, expected(what)))

export const policySchema = z.strictObject(
  {
    upstreams: z
      .array(upstream, expected("a list of URLs, or of maps with url, token, basic_auth and tls"))
      .min(1, "must hold at least one URL")
      .default([{ url: "http://prometheus:9090" }]),
    path: parsed("a path such as /federate", upstreamPath).default("/federate"),
    tokens: list(token, "a list of tokens"),
    jwt: list(issuer, "a list of issuers"),
    certificates: list(certificate, "a list of certificates"),
    limits: z
      .strictObject(
        {
          ...limitsShape,
          memory: parsed("a size", between(size, 2 ** 20, 2 ** 36, "from 1MiB to 64GiB")).optional(),
          request_bytes: parsed("a size such as 256KiB", requestBytes).optional(),
        },
        expected(`a map of ${Object.keys(limitsShape).join(", ")}, memory and request_bytes`),
      )
      .default({}),
    reuse: parsed("a duration such as 1s", between(duration(0, Infinity), 0, 300, "at most 5m")).default(1),
    tls: z.undefined("stands in the file of --web.config.file").optional(),
  },
  expected("a map with upstreams, and with tokens, jwt or certificates"),
)

export type PolicyFile = z.output<typeof policySchema>
export type ClientEntry = Pick<PolicyFile["tokens"][number], "name" | keyof typeof clientKeys>
