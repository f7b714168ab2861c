import type { Dispatcher } from "undici"
import type { FedstackError } from "#core/errors.ts"
import type { Accesses, UpstreamAccess } from "#core/federation/upstreams/access.ts"
import { showUpstream, suspectedAfter, type UpstreamHealth } from "#core/http/upstream-health.ts"
import { fetchBytes, RequestFailed } from "#core/http/client.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Deadline, unlessAborted } from "#core/retry/deadline.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { responseBroken, storeBadResponse, storeUnreachable } from "../errors.ts"
import type { ExpositionMetrics } from "../metrics.ts"
import { isElsewherePossible, refusalOf, type Refusal } from "./refusal.ts"

/** Where a store is, tried in order, and what its upstreams need. */
export interface StoreAddress {
  readonly upstreams: readonly URL[]
  readonly accesses: Accesses
}

export interface StoreRequest {
  readonly method: "GET" | "POST"
  /** Below the upstream's path, such as `/api/v1/read`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly tenant: TenantId
  /** What else works says nothing of a store that responds to no read of series, which is what it is for. */
  readonly isOfSeries: boolean
  /** Bytes that the response may have. */
  readonly limit: number
  readonly lifetime: Deadline
}

interface StoreOptions {
  readonly health: UpstreamHealth
  readonly agentOf: (access: Pick<UpstreamAccess, "tls">) => Dispatcher
  readonly log: Logger
  readonly metrics: Pick<ExpositionMetrics, "upstreamDuration">
}

export type RequestStore = ReturnType<typeof createRequestStore>

const NO_ACCESS: UpstreamAccess = { shown: "" }
/** Requests at once; the others wait for their turn. One that takes longer than so many milliseconds lets the next one go. */
const AT_ONCE = 16
const SOON = 1000

/**
 * Sends requests for one tenant to the first upstream that can be reached and is not starting or stopping. Resolves with
 * undefined where the response is larger than its limit. Rejects with an error of errors.ts, and with any other once the time
 * is over.
 */
export function createRequestStore({ health, agentOf, log, metrics }: StoreOptions) {
  const inTurn = limitConcurrency(AT_ONCE)

  const works = (upstream: URL, { isOfSeries }: StoreRequest): void => void (isOfSeries && health.worked(upstream))
  const fails = (upstream: URL, { isOfSeries }: StoreRequest): void =>
    void (isOfSeries && health.report(upstream, false))

  /** What stands between a request and a good response of this upstream. */
  async function sendTo(
    upstream: URL,
    access: UpstreamAccess,
    { method, path, headers, body, tenant, limit, lifetime }: StoreRequest,
  ): Promise<Buffer | Refusal> {
    const own = {
      ...headers,
      ...(access.authorization === undefined ? {} : { authorization: access.authorization }),
      "x-scope-orgid": tenant,
      "user-agent": "fedstack-tenancy-exposition",
    }
    const options = { method, headers: own, limit, deadline: lifetime, dispatcher: agentOf(access) }
    const address = addressOf(upstream, path)
    const response = await fetchBytes(address, body === undefined ? options : { ...options, body })
    return response.status === 200 ? response.body : refusalOf(response.status, tenant, response.body)
  }

  /** Of a request that got no response, or no whole one. Undefined where its response is too large. */
  function failureOf(error: unknown, upstream: URL): FedstackError | undefined {
    if (!(error instanceof RequestFailed)) throw error
    const { reason, problem } = error
    log.warn({ upstream: showUpstream(upstream), cause: problem }, "no whole response of the store")
    if (reason === "cut" || reason === "reset") return responseBroken({})
    return reason === "not_http" ? storeBadResponse({ problem }) : storeUnreachable({})
  }

  return async ({ upstreams, accesses }: StoreAddress, request: StoreRequest): Promise<Buffer | undefined> => {
    const endTimer = metrics.upstreamDuration.startTimer({ path: request.path.split("?", 1)[0] ?? "" })
    const began = health.now()
    let failure: FedstackError | undefined
    try {
      for (const upstream of health.healthiestFirst(upstreams)) {
        const since = health.now()
        if (request.isOfSeries) health.trying(upstream)
        try {
          const access = accesses.get(upstream.href) ?? NO_ACCESS
          const sent = inTurn(() => sendTo(upstream, access, request), SOON)
          const result = await unlessAborted(sent, request.lifetime.signal)
          if (Buffer.isBuffer(result)) {
            works(upstream, request)
            return result
          }
          const { status, error, said, isOfRequest } = result
          failure = error
          if (isOfRequest) works(upstream, request)
          else {
            const about = { upstream: showUpstream(upstream), tenant: request.tenant, status, cause: said }
            log.warn(about, "the store refuses a request")
            fails(upstream, request)
          }
          if (!isElsewherePossible(status)) throw error
        } catch (error) {
          if (error === failure) throw error
          if (error instanceof RequestFailed && error.reason === "too_many_bytes") {
            works(upstream, request)
            return undefined
          }
          if (request.lifetime.signal.aborted) {
            const { seconds } = request.lifetime
            const hangs = health.now() - since > suspectedAfter(seconds) * 1000 && !health.workedSince(upstream, began)
            if (hangs) fails(upstream, request)
            throw error
          }
          failure = failureOf(error, upstream)
          fails(upstream, request)
        }
      }
      throw failure ?? storeUnreachable({})
    } finally {
      endTimer()
    }
  }
}

function addressOf({ origin, pathname }: URL, path: string) {
  const [below = "", query = ""] = path.split("?", 2)
  return { origin, pathname: pathname.replace(/\/+$/, "") + below, search: query === "" ? "" : `?${query}` }
}
