import { unsupportedEncoding, unsupportedMediaType } from "./errors.ts"
import type { Version } from "./version.ts"

/** Names of the protobuf messages, as the parameter `proto` has them. */
export const MESSAGES: Readonly<Record<Version, string>> = {
  1: "prometheus.WriteRequest",
  2: "io.prometheus.write.v2.Request",
}

/** Without `proto` it is version 1, as it was before there were two. */
const ACCEPTED =
  `application/x-protobuf, application/x-protobuf;proto=${MESSAGES[1]}, ` +
  `application/x-protobuf;proto=${MESSAGES[2]}`

/**
 * What an upstream request has besides its tenant. Only these spellings: with a space before `proto` or quotes around
 * its value, receivers take version 2 for version 1 and lose it with a 2xx.
 */
export const UPSTREAM_HEADERS: Readonly<Record<Version, Readonly<Record<string, string>>>> = {
  1: {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
  },
  2: {
    "content-type": `application/x-protobuf;proto=${MESSAGES[2]}`,
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "2.0.0",
  },
}

/** A token of RFC 9110, 5.6.2. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const TYPE = new RegExp(`^[ \\t]*(${TOKEN}/${TOKEN})`)
/** 5.6.6: parameters may be empty, white space stands around the semicolon only, a value is a token or quoted. */
const PARAMETER = new RegExp(
  `[ \\t]*;[ \\t]*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*)"))?`,
  "y",
)

/**
 * The version that a request's Content-Type announces. Without one it is version 1, as for Prometheus and Cortex; the
 * message itself is checked against it afterwards. Throws a refusal with status 415.
 */
export function versionOf(contentType: string | undefined): Version {
  if (contentType === undefined || contentType.trim() === "") return 1
  const parsed = parse(contentType)
  if (parsed?.type === "application/x-protobuf") {
    if (parsed.proto === undefined || parsed.proto === MESSAGES[1]) return 1
    if (parsed.proto === MESSAGES[2]) return 2
  }
  throw unsupportedMediaType({ type: shown(contentType), accepted: ACCEPTED })
}

/** Undefined where it is malformed, or names `proto` twice. */
function parse(contentType: string): { readonly type: string; readonly proto?: string } | undefined {
  if (contentType.length > 1000) return undefined
  const [whole, type] = TYPE.exec(contentType) ?? []
  if (whole === undefined || type === undefined) return undefined
  let proto: string | undefined
  PARAMETER.lastIndex = whole.length
  const end = contentType.trimEnd().length
  while (PARAMETER.lastIndex < end) {
    const parameter = PARAMETER.exec(contentType)
    if (parameter === null) return undefined
    if (parameter[1]?.toLowerCase() !== "proto") continue
    if (proto !== undefined) return undefined
    proto = parameter[2] ?? parameter[3]?.replaceAll(/\\(.)/g, "$1")
  }
  return { type: type.toLowerCase(), ...(proto !== undefined && { proto }) }
}

/**
 * To be called before the body is looked at. Without a Content-Encoding it is snappy: receivers of version 1 never
 * asked for the header. Throws a refusal with status 415.
 */
export function requireSnappy(contentEncoding: string | undefined): void {
  if (contentEncoding === undefined || contentEncoding.trim().toLowerCase() === "snappy") return
  throw unsupportedEncoding({ encoding: shown(contentEncoding), accepted: ACCEPTED })
}

const shown = (header: string): string =>
  JSON.stringify(header.length > 100 ? `${header.slice(0, 100)}…` : header).replaceAll(/[^ -~…]/g, "?")
