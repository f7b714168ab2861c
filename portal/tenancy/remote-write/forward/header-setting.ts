import { type Parse, Wrong } from "#core/config/settings.ts"

/** Of HTTP and remote write: with another value, or twice, a request would mean something else. */
const RESERVED = new Set([
  ...["host", "content-length", "content-type", "content-encoding", "transfer-encoding", "te", "trailer", "expect"],
  ...["connection", "keep-alive", "upgrade", "proxy-connection", "x-scope-orgid", "user-agent", "retry-attempt"],
  "x-prometheus-remote-write-version",
])
/** Flags and variables are no place for secrets. */
const SECRET = new Set(["authorization", "proxy-authorization", "cookie"])

export type Header = readonly [name: string, value: string]

/** `Name: value`, such as `X-Cluster: a`. */
export const header: Parse<Header> = (text) => {
  const [, name, value] =
    /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/.exec(text) ?? []
  if (name === undefined || value === undefined) return new Wrong("must be a header in ASCII such as 'X-Cluster: a'")
  const lower = name.toLowerCase()
  if (RESERVED.has(lower)) return new Wrong(`must not set ${name}, which is part of the protocol`)
  if (SECRET.has(lower))
    return new Wrong(`must not set ${name}: see --upstream.token-file and --upstream.password-file`)
  return [lower, value]
}
