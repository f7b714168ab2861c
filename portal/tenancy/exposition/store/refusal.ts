import type { FedstackError } from "#core/errors.ts"
import { cleanText } from "#core/log/clean-text.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { isOfTenantLimits, storeBadResponse, storeLimited, storeNotReady, storeRefused } from "../errors.ts"

/** A response that is none of series. */
export interface Refusal {
  readonly status: number
  /** Whether it is about the request, so that the store works. */
  readonly isOfRequest: boolean
  /** For the client. */
  readonly error: FedstackError
  /** In the store's words, for the log: these may name what is behind it. */
  readonly said: string
}

/** What the store says of an error, in bytes. */
const MOST_SHOWN = 300
/** Of a request that is too much, or that the store does not understand. */
const REFUSED = new Set([400, 413, 414, 422])
/** Cortex has status 400 for all that fails, also within it: what a tenant may read are words about its own limits. */
const OF_LIMITS =
  /limit|exceed|larger than|longer than|too (?:many|long|large|old)|tenant ID|parsing regexp|err-mimir-(?:max|query|request)-|(?:maximum|max) /i

/** In the words of Cortex and Mimir, cleaned, where these are about limits. */
export function refusalOf(status: number, tenant: TenantId, body: Buffer): Refusal {
  const said = cleanText(textOf(body), MOST_SHOWN)
  const error = errorOf(status, tenant, said)
  return { status, said, error, isOfRequest: isOfTenantLimits(error) }
}

function errorOf(status: number, tenant: TenantId, said: string): FedstackError {
  const isOfLimits = OF_LIMITS.test(said)
  if (status === 429) return storeLimited({ tenant, status, problem: isOfLimits ? said : "too many requests" })
  if (REFUSED.has(status) && (isOfLimits || status !== 400)) {
    return storeRefused({ tenant, status, problem: isOfLimits ? said : "it is too much at once" })
  }
  return status === 503 ? storeNotReady({}) : storeBadResponse({ problem: `its status is ${status}` })
}

/** Whether another upstream may accept what this one does not: with other credentials, or since a proxy's server is gone. */
export const isElsewherePossible = (status: number): boolean => [401, 403, 502, 503, 504].includes(status)

/** The `error` of an API's response in JSON, else the text. */
function textOf(body: Buffer): string {
  const text = body.toString("utf8", 0, 4096)
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown }
    return typeof error === "string" ? error : text
  } catch {
    return text
  }
}
