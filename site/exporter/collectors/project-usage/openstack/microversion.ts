import type { TextResponse } from "#core/http/client.ts"
import { ServiceError } from "./errors.ts"

interface VersionedRequest {
  /** Without the query. */
  readonly url: string
  readonly microversion: string
}

/**
 * The error of a response that does not say that the microversion of the request, or a later one, was used; undefined where
 * it does. Nova's /v2 ignores microversions, as do gateways that drop the header, and then cuts lists without a link.
 */
export function microversionIgnored(
  { url, microversion }: VersionedRequest,
  { headers }: Pick<TextResponse, "headers">,
): ServiceError | undefined {
  const said = [headers["openstack-api-version"] ?? []].flat().join(", ")
  const used = /\bcompute\s+(\d+\.\d+)/i.exec(said)?.[1]
  if (used !== undefined && isAtLeast(used, microversion)) return undefined
  const found =
    used === undefined ? "the header OpenStack-API-Version is missing in its response" : `it used ${used} instead`
  const message = `compute at ${url} ignores microversion ${microversion}, without which it cuts lists: ${found}. ${wayOut(url)}`
  return new ServiceError("microversion", message, { responseStatus: 200 })
}

function isAtLeast(used: string, wanted: string): boolean {
  const [usedMajor = 0, usedMinor = 0] = used.split(".").map(Number)
  const [major = 0, minor = 0] = wanted.split(".").map(Number)
  return usedMajor > major || (usedMajor === major && usedMinor >= minor)
}

const OVERRIDE = "OS_COMPUTE_ENDPOINT_OVERRIDE (compute_endpoint_override in clouds.yaml)"

function wayOut(url: string): string {
  const [, before] = /^(.*)\/v2(?:\.0)?\//.exec(url) ?? []
  return before === undefined
    ? `Nova 15 (Ocata) or later is needed. If it is that, a gateway before it drops the header: let it pass in both directions, or set ${OVERRIDE} to Nova's own address`
    : `Its address is that of /v2, which knows no microversions: set ${OVERRIDE} to ${before}/v2.1, or correct the catalog`
}
