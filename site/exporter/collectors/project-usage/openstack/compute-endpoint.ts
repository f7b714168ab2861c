import type { Dispatcher } from "undici"
import { fetchText } from "#core/http/client.ts"
import { connectionFailure } from "./failure.ts"
import { refusal } from "./refusal.ts"
import type { RequestMetrics } from "./request-metrics.ts"
import { isItem } from "./response.ts"

/** The version of the API in which there are microversions. */
const VERSION = "v2.1"
/** Bytes of a list of versions. */
const LIMIT = 1_048_576

interface DiscoveryOptions {
  readonly dispatcher: Dispatcher
  /** Seconds for the request. */
  readonly timeout: number
  readonly metrics: RequestMetrics
}

/**
 * The address of the compute service with its version. Catalogs may name Nova without one; it then lists its versions there
 * (https://docs.openstack.org/api-guide/compute/versions.html). What lists none may be the versioned service under another
 * path, and is used as it is.
 */
export async function withVersion(url: string, { dispatcher, timeout, metrics }: DiscoveryOptions): Promise<string> {
  if (/\/v\d+(?:\.\d+)?(?:\/|$)/.test(new URL(url).pathname)) return url
  return metrics.measure("compute", async () => {
    const request = { deadline: timeout, limit: LIMIT, headers: { accept: "application/json" }, dispatcher }
    const response = await fetchText(new URL(`${url}/`), request).catch((error: unknown) => {
      throw connectionFailure(`compute at ${url}`, error)
    })
    if (listsVersion(response.body)) return `${url}/${VERSION}`
    // what fails now may list them soon, and the address is used for as long as the token is
    const { status } = response
    if (status === 429 || status >= 500) throw refusal({ service: "compute", path: "/", url: `${url}/` }, response)
    return url
  })
}

function listsVersion(body: string): boolean {
  let response: unknown
  try {
    response = JSON.parse(body)
  } catch {
    return false // a page of something else
  }
  const versions = isItem(response) ? response.versions : undefined
  return Array.isArray(versions) && versions.some((one) => isItem(one) && one.id === VERSION)
}
