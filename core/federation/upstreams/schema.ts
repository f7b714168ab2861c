import { z } from "zod"
import { expected, parsed } from "#core/config/schema.ts"
import { httpUrl, type Parse, Wrong } from "#core/config/settings.ts"
import { basicAuth, instead, tlsShape, token } from "#core/http/credential-schema.ts"

/** As text: the file may be read by a worker, and URLs cannot be sent. */
const upstreamUrl: Parse<string> = (text) => {
  const url = httpUrl(/^https?:\/\/[^\s\\]+$/i.test(text) ? text : "")
  if (url instanceof Wrong) return url
  if (/[?#]/.test(text)) return new Wrong("must not have a query or a fragment; a path prefix is fine")
  return url.href.replace(/\/+$/, "")
}

const upstreamText = parsed("a URL such as http://prometheus:9090", upstreamUrl)
const upstreamEntry = z.strictObject({
  url: upstreamText,
  token: token.optional(),
  basic_auth: basicAuth.optional(),
  tls: z
    .strictObject(
      { ...tlsShape, min_version: instead("is not known here; TLS 1.2 is the least") },
      expected("a map of ca_file, server_name, cert_file and key_file"),
    )
    .optional(),
})
export type UpstreamEntry = z.output<typeof upstreamEntry>

/** A URL, or a map of one and what it needs. Not as a union, whose faults would say nothing of the map's keys. */
const upstream = z.unknown().transform((value, context): UpstreamEntry => {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value)
  const found = isMap
    ? upstreamEntry.safeParse(value)
    : upstreamText.transform((url): UpstreamEntry => ({ url })).safeParse(value)
  if (found.success) return found.data
  for (const issue of found.error.issues) context.issues.push({ ...issue, input: undefined })
  return z.NEVER
})

/** Of a file's key `upstreams`. */
export const upstreamList = z
  .array(upstream, expected("a list of URLs, or of maps with url, token, basic_auth and tls"))
  .min(1, "must hold at least one URL")
