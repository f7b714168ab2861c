import type { IncomingMessage, ServerResponse } from "node:http"
import { authenticate } from "#core/auth/authenticate.ts"
import { closeAll } from "#core/closable.ts"
import { FedstackError } from "#core/errors.ts"
import { createClientGate, createWorkBudget } from "#core/limits/client-limits.ts"
import { throttleFailures } from "#core/limits/failure-throttle.ts"
import { createTurns } from "#core/limits/turns.ts"
import { limitVerifications } from "#core/limits/verifications.ts"
import { batchLog } from "#core/log/batch-log.ts"
import type { Logger } from "#core/log/logger.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { openDecider, tooMuchToDecide } from "#core/promql/decider.ts"
import { createNarrower } from "#core/promql/narrow.ts"
import { type CachedRequest, type FoundResponse, openResponseCache } from "#core/response-cache/cache.ts"
import { sendGrowing, sendStored } from "#core/response-cache/send.ts"
import { createAcceptReader } from "./accept.ts"
import { createAdmit, type ServedPaths } from "./admit.ts"
import type { Client, ClientPolicy } from "./client.ts"
import { deadlineOf } from "./deadline.ts"
import { unauthenticated } from "./errors.ts"
import type { FederationMetrics } from "./metrics.ts"
import { createNarrowClient } from "./narrow-client.ts"
import { RequestRecord } from "./request-record.ts"
import type { Source, Target } from "./source.ts"

export interface FederationOptions<P extends ClientPolicy<C>, C extends Client, Q, R extends CachedRequest> {
  readonly paths: ServedPaths
  /** The policy in force. */
  readonly policy: () => P
  readonly source: Source<P, C, Q, R>
  readonly metrics: FederationMetrics
  readonly log: Logger
  readonly now: () => Date
  /** A clock that only goes forward, for what is limited by time. */
  readonly milliseconds: () => number
}

/** Serves series to the clients of the policy in force. Closing closes the source, too. */
export function openFederation<P extends ClientPolicy<C>, C extends Client, Q, R extends CachedRequest>({
  paths,
  policy: current,
  source,
  metrics,
  log,
  now,
  milliseconds,
}: FederationOptions<P, C, Q, R>) {
  const cache = openResponseCache(source.fetch, current().memory)
  const gate = createClientGate(milliseconds)
  const budget = createWorkBudget(milliseconds)
  const decider = openDecider(budget, log)
  const turns = createTurns(budget, milliseconds)
  const authorize = createAuthorize(decider.judge, turns)
  const admit = createAdmit<C, Q, R>(paths, authorize, budget, turns)
  const clients = createNarrowClient<C>(createNarrower(authorize, turns))
  const readAccept = createAcceptReader()
  const throttle = throttleFailures(milliseconds, log)
  const beginVerification = limitVerifications(milliseconds)
  const audit = batchLog(log, "request")
  const sinks = { metrics, audit, log, paths: Object.keys(paths) }
  metrics.watch(cache, decider)
  let applied: { readonly policy: P; readonly target: Target<C, Q, R> } | undefined

  /** Applies the policy in force to what lives longer than a request. */
  function apply(): NonNullable<typeof applied> {
    const policy = current()
    if (applied?.policy === policy) return applied
    const names = new Set(policy.clients.map(({ name }) => name))
    // those of tokens as long as their entry is there
    const kept = { has: (name: string) => names.has(name.split("/", 1)[0] ?? "") }
    cache.memory.limit = policy.memory
    for (const state of [gate, budget, metrics]) state.keep(kept)
    clients.forget()
    metrics.showExpiry(policy)
    return (applied = { policy, target: source.apply(policy) })
  }
  apply()

  /** To what its token claims, within its budget: as long as that is not decided, it may read nothing. */
  function narrow(client: C): Promise<C> {
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
    let record: RequestRecord<C> | undefined
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
          record ??= new RequestRecord<C>(request, response, sinks)
          record.detail = identity.reason
          throw unauthenticated({})
        }
        const { owner: client } = identity
        if (record === undefined) {
          record = new RequestRecord<C>(request, response, sinks)
          record.enter(client, gate)
        }
        // a client of another name now is not the one whose limits this request takes from
        if (record.client?.name !== client.name) throw unauthenticated({})
        const narrowed = clients.known(client) ?? (await narrow(client))
        record.client = narrowed
        const admission = await admit(record, narrowed, target)
        if (record.over) return
        if (current() !== asOf) continue
        record.requested = admission
        const format = {
          accept: readAccept(request.headers.accept),
          "accept-encoding": request.headers["accept-encoding"],
        }
        admission.upstream = target.request(admission.query, format, admission.upstream)
        const begin = milliseconds()
        return send(record, cache.find(admission.upstream, policy.reuse), (seconds) =>
          source.late(seconds, target.workedSince(begin)),
        )
      } catch (error) {
        const expected = error instanceof FedstackError
        // whatever an unauthenticated client finds to make this fail
        if (record === undefined && !expected && throttle.failed(request.socket.remoteAddress)) return refuse(response)
        record ??= new RequestRecord<C>(request, response, sinks)
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
      await closeAll([decider, source])
      throttle.close()
      audit.close()
    },
  }
}

/** A client gets its response within its own time; others that wait for the same are not concerned. */
function send(record: RequestRecord, found: FoundResponse, late: (seconds: number) => FedstackError): void {
  const { request, response } = record
  record.source = found.source
  if (found.source === "reused") sendStored(found.stored, record)
  else sendGrowing(found.growing, record)
  if (response.writableFinished || (found.source === "reused" && response.writableLength === 0)) return
  const seconds = deadlineOf(request.headers, record.limits.upstreamTimeout)
  const timer = setTimeout(() => {
    const waiting = found.source !== "reused" && found.growing.state.kind === "growing"
    if (waiting) record.fail(late(seconds))
    else record.cutOff("CLIENT_SLOW")
  }, seconds * 1000)
  // a connection on which nothing moves would be ended before that, without a response
  if ((request.socket.timeout ?? 0) <= seconds * 1000) request.socket.setTimeout(0)
  response.once("close", () => clearTimeout(timer))
}
