import type { IncomingMessage, ServerResponse } from "node:http"
import { authenticate } from "#core/auth/authenticate.ts"
import { closeAll } from "#core/closable.ts"
import { FedstackError } from "#core/errors.ts"
import { createClientGate, createWorkBudget } from "#core/limits/client-limits.ts"
import { createTurns } from "#core/limits/turns.ts"
import { throttleFailures } from "#core/limits/failure-throttle.ts"
import { limitVerifications } from "#core/limits/verifications.ts"
import { batchLog } from "#core/log/batch-log.ts"
import type { Logger } from "#core/log/logger.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { openDecider, tooMuchToDecide } from "#core/promql/decider.ts"
import { createNarrower } from "#core/promql/narrow.ts"
import { type FoundResponse, openResponseCache } from "#core/response-cache/cache.ts"
import { sendGrowing, sendStored } from "#core/response-cache/send.ts"
import { createAdmit } from "./admit.ts"
import { queryTimeout, unauthenticated, upstreamTimeout } from "./errors.ts"
import type { ProxyMetrics } from "./metrics.ts"
import { createNarrowClient } from "./policy/narrow.ts"
import type { Client, Policy } from "./policy/types.ts"
import { RequestRecord } from "./request-record.ts"
import { createAcceptReader } from "./upstream/accept.ts"
import { openUpstream } from "./upstream/fetch.ts"
import { rememberHealth } from "./upstream/health.ts"
import { deadlineOf, targetOf, upstreamRequest, type UpstreamTarget } from "./upstream/request.ts"

interface FederationOptions {
  /** The policy in force. */
  readonly policy: () => Policy
  readonly metrics: ProxyMetrics
  readonly log: Logger
  readonly now: () => Date
  /** A clock that only goes forward, for what is limited by time. */
  readonly milliseconds: () => number
}

/** Serves /federate to the clients of the policy in force. */
export function openFederation({ policy: current, metrics, log, now, milliseconds }: FederationOptions) {
  const health = rememberHealth(milliseconds)
  const upstream = openUpstream(health, metrics, log)
  const cache = openResponseCache(upstream.fetch, current().memory)
  const gate = createClientGate(milliseconds)
  const budget = createWorkBudget(milliseconds)
  const decider = openDecider(budget, log)
  const turns = createTurns(budget, milliseconds)
  const authorize = createAuthorize(decider.judge, turns)
  const admit = createAdmit(authorize, budget, turns)
  const clients = createNarrowClient(createNarrower(authorize, turns))
  const readAccept = createAcceptReader()
  const throttle = throttleFailures(milliseconds, log)
  const beginVerification = limitVerifications(milliseconds)
  const audit = batchLog(log, "request")
  const sinks = { metrics, audit, log }
  metrics.watch(cache, health, decider)
  let applied: { readonly policy: Policy; readonly target: UpstreamTarget } | undefined

  /** Applies the policy in force to what lives longer than a request. */
  function apply(): NonNullable<typeof applied> {
    const policy = current()
    if (applied?.policy === policy) return applied
    const names = new Set(policy.clients.map(({ name }) => name))
    cache.memory.limit = policy.memory
    for (const state of [gate, budget, metrics]) state.keep(names)
    clients.forget()
    metrics.showExpiry(policy)
    health.keep(policy.upstreams)
    upstream.keep(policy.accesses)
    return (applied = { policy, target: targetOf(policy) })
  }
  apply()

  /** To what its token claims, within its budget: as long as that is not decided, it may read nothing. */
  function narrow(client: Client): Promise<Client> {
    if (budget.wait(client.name) > 0) throw tooMuchToDecide(client.name, budget)
    return clients.narrow(client)
  }

  function refuse(response: ServerResponse): void {
    metrics.client("").count(429, "too_many_failures")
    throttle.refuse(response)
  }

  /**
   * Responds to a request, whatever it is.
   * An unauthenticated client learns nothing, not even which paths there are; an authenticated one never meets the throttle.
   * Where the policy changes before the decision, the new one judges the request from the beginning.
   */
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let record: RequestRecord | undefined
    for (;;) {
      const asOf = current()
      try {
        const { policy, target } = apply()
        const identity = await authenticate(request, policy, now(), beginVerification)
        if (response.destroyed) return
        if (current() !== asOf) continue
        if (!("owner" in identity)) {
          if (identity.ofConnection === true) response.shouldKeepAlive = false
          if (record === undefined && (throttle.failed(request.socket.remoteAddress) || identity.throttled === true)) {
            return refuse(response)
          }
          record ??= new RequestRecord(request, response, sinks)
          record.detail = identity.reason
          throw unauthenticated({})
        }
        const { owner: client } = identity
        if (record === undefined) {
          record = new RequestRecord(request, response, sinks)
          record.enter(client, gate)
        }
        // a client of another name now is not the one whose limits this request takes from
        if (record.client?.name !== client.name) throw unauthenticated({})
        const narrowed = clients.known(client) ?? (await narrow(client))
        record.client = narrowed
        const admission = await admit(record, narrowed)
        if (record.over) return
        if (current() !== asOf) continue
        record.requested = admission
        const headers = {
          accept: readAccept(request.headers.accept),
          "accept-encoding": request.headers["accept-encoding"],
        }
        admission.upstream = upstreamRequest(target, admission.query, headers, admission.upstream)
        const begin = milliseconds()
        const works = (): boolean => target.upstreams.some((one) => health.workedSince(one, begin))
        return send(record, cache.find(admission.upstream, policy.reuse), works)
      } catch (error) {
        const expected = error instanceof FedstackError
        // whatever an unauthenticated client finds to make this fail
        if (record === undefined && !expected && throttle.failed(request.socket.remoteAddress)) return refuse(response)
        record ??= new RequestRecord(request, response, sinks)
        if (expected && record.over) return
        if (!expected || current() === asOf) return record.fail(error)
      }
    }
  }

  return {
    apply,
    handle,
    async close(): Promise<void> {
      cache.close()
      await closeAll([decider, upstream])
      throttle.close()
      audit.close()
    },
  }
}

/**
 * A client gets its response within its own time; others that wait for the same are not concerned. `works`: whether Prometheus
 * sent good responses meanwhile.
 */
function send(record: RequestRecord, found: FoundResponse, works: () => boolean): void {
  const { request, response } = record
  record.source = found.source
  if (found.source === "reused") sendStored(found.stored, record)
  else sendGrowing(found.growing, record)
  if (response.writableFinished || (found.source === "reused" && response.writableLength === 0)) return
  const seconds = deadlineOf(request.headers, record.limits.upstreamTimeout)
  const timer = setTimeout(() => {
    const waiting = found.source !== "reused" && found.growing.state.kind === "growing"
    if (waiting) record.fail(works() ? queryTimeout({ seconds }) : upstreamTimeout({ seconds }))
    else record.cutOff("CLIENT_SLOW")
  }, seconds * 1000)
  // a connection on which nothing moves would be ended before that, without a response
  if ((request.socket.timeout ?? 0) <= seconds * 1000) request.socket.setTimeout(0)
  response.once("close", () => clearTimeout(timer))
}
