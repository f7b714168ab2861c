import type { IncomingMessage, ServerResponse } from "node:http"
import { authenticate } from "#core/auth/authenticate.ts"
import type { Identity, Refusal } from "#core/auth/credentials.ts"
import { batchLog } from "#core/log/batch-log.ts"
import { type Closable, closeAll } from "#core/closable.ts"
import { FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Admission, admit, admittedBefore } from "./admit.ts"
import { tooManyAtOnce, tooManyRequests, tooMuchToDecide, unauthenticated, upstreamTimeout } from "./errors.ts"
import { type Accounts, Exchange } from "./exchange.ts"
import { gateOfClients } from "./limits/clients.ts"
import { openDecider } from "./limits/decider.ts"
import { limitEffort } from "./limits/effort.ts"
import { refuseLast } from "./limits/refusals.ts"
import { throttleFailures } from "./limits/throttle.ts"
import { limitVerifications } from "./limits/verifications.ts"
import type { ProxyMetrics } from "./metrics.ts"
import type { Client, Policy } from "./policy/types.ts"
import { sendGrowing, sendStored } from "./store/send.ts"
import { type Found, openStore } from "./store/store.ts"
import { openUpstream } from "./upstream/fetch.ts"
import { rememberFailures } from "./upstream/order.ts"
import { ask, deadlineOf, type Target } from "./upstream/question.ts"

export interface FederationOptions {
  readonly policy: () => Policy
  readonly metrics: ProxyMetrics
  readonly log: Logger
  readonly now: () => Date
  /** A clock that only goes forward, for what is limited by time. */
  readonly milliseconds: () => number
}

export interface Federation extends Closable {
  /** Answers a request, whatever it asks. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void
  /** Goes by the policy in force from now on; requests under way go on. */
  adopt(): void
}

/** Answers requests for /federate, and nobody who is not in the policy. */
export function openFederation(options: FederationOptions): Federation {
  const { policy: current, metrics, log, now, milliseconds } = options
  const order = rememberFailures(milliseconds)
  const upstream = openUpstream({ order, metrics, log })
  const store = openStore(upstream.fetch, current().memory)
  const gate = gateOfClients(milliseconds)
  const effort = limitEffort(milliseconds)
  const decider = openDecider(effort, log)
  const throttle = throttleFailures(milliseconds, log)
  const verifications = limitVerifications(milliseconds)
  const refuseThrottled = refuseLast()
  const audit = batchLog(log, "request")
  const accounts: Accounts = { metrics, audit, log }
  metrics.watch(store, order)
  let policy = current()
  let target = targetOf(policy)

  function adopt(): void {
    policy = current()
    target = targetOf(policy)
    store.memory.setLimit(policy.memory)
    const names = new Set(policy.clients.map(({ name }) => name))
    gate.keep(names)
    effort.keep(names)
    metrics.keep(names)
    metrics.showExpiry(policy)
    order.keep(policy.upstreams)
  }
  adopt()

  /** Whoever is not known learns nothing, not even which paths there are; whoever is, never meets the throttle. */
  function answer(request: IncomingMessage, response: ServerResponse): void {
    let exchange: Exchange | undefined
    const begin = (): Exchange => (exchange ??= new Exchange(request, response, accounts))
    const recognised = (identity: Identity<Client> | Refusal): void => {
      const known = "owner" in identity
      if (!known && (throttle.failed(request.socket.remoteAddress) > 0 || identity.throttled === true)) {
        metrics.client("").count(429, "too_many_failures")
        return refuseThrottled(response)
      }
      if (known) return admitted(begin(), identity.owner)
      begin().detail = identity.reason
      begin().fail(unauthenticated({}), BEARER)
    }
    identify(request, response, recognised, (error) => begin().fail(error))
  }

  function admitted(exchange: Exchange, client: Client): void {
    exchange.client = client
    const verdict = gate.enter(client)
    if (verdict.kind === "too many at once") {
      return exchange.fail(tooManyAtOnce({ client: client.name, limit: verdict.limit }), retryAfter(1))
    }
    if (verdict.kind === "too many a second") {
      return exchange.fail(tooManyRequests({ client: client.name, limit: verdict.limit }), retryAfter(verdict.wait))
    }
    exchange.metrics.inFlight.inc()
    exchange.leave = () => {
      gate.leave(client.name)
      exchange.metrics.inFlight.dec()
    }
    const admission = admittedBefore(exchange.request, client)
    if (admission === undefined) decide(exchange, client)
    else give(exchange, admission)
  }

  function give(exchange: Exchange, admission: Admission): void {
    exchange.asked = admission
    send(exchange, store.find(ask(target, admission.query, exchange.request.headers), policy.reuse))
  }

  function decide(exchange: Exchange, client: Client): void {
    const tooMuch = (): FedstackError => tooMuchToDecide({ client: client.name })
    const refuse = (error: unknown): void => {
      const { code } = error instanceof FedstackError ? error : {}
      if (code === "METHOD_NOT_ALLOWED") exchange.fail(error, { allow: "GET, HEAD" })
      else exchange.fail(error, code === tooMuch().code ? retryAfter(Math.max(1, effort.wait(client.name))) : {})
    }
    if (effort.wait(client.name) > 0) return refuse(tooMuch())
    const asOf = policy
    const begin = milliseconds()
    let admission: Admission | Promise<Admission>
    try {
      admission = admit(exchange, client, decider.judge)
    } catch (error) {
      return refuse(error)
    } finally {
      effort.spend(client.name, (milliseconds() - begin) / 1000)
    }
    if (!(admission instanceof Promise)) return give(exchange, admission)
    const judged = (goOn: () => void): void => {
      if (exchange.over) return
      if (current() === asOf) goOn()
      else decideAnew(exchange, client)
    }
    admission
      .then(
        (made) => judged(() => give(exchange, made)),
        (error: unknown) => judged(() => refuse(error)),
      )
      .catch((error: unknown) => exchange.fail(error))
  }

  /** The policy changed while the request waited for its decision: the one in force judges it from the beginning. */
  function decideAnew(exchange: Exchange, before: Client): void {
    const identified = (identity: Identity<Client> | Refusal): void => {
      // whoever has another name now is not the one whose limits this request takes from
      if (!("owner" in identity) || identity.owner.name !== before.name)
        return exchange.fail(unauthenticated({}), BEARER)
      exchange.client = identity.owner
      decide(exchange, identity.owner)
    }
    identify(exchange.request, exchange.response, identified, (error) => exchange.fail(error))
  }

  /**
   * By the policy in force, also where finding out took its time. `failed` is told of whatever nobody expected, in `found`
   * too: an answer is owed, and the server would not see that none comes.
   */
  function identify(
    request: IncomingMessage,
    response: ServerResponse,
    found: (identity: Identity<Client> | Refusal) => void,
    failed: (error: unknown) => void,
  ): void {
    try {
      if (current() !== policy) adopt()
      const asOf = policy
      const identity = authenticate(request, asOf, now(), verifications)
      if (!(identity instanceof Promise)) return found(identity)
      identity
        .then((proven) => {
          if (response.destroyed) return
          if (current() === asOf) found(proven)
          else identify(request, response, found, failed)
        })
        .catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  return {
    adopt,
    answer,
    async close() {
      await closeAll([decider, store, upstream])
      throttle.close()
      audit.close()
    },
  }
}

function send(exchange: Exchange, found: Found): void {
  exchange.source = found.source
  const { response } = exchange
  if (found.source === "reused") {
    sendStored(found.stored, exchange)
    if (response.writableLength > 0) limitTime(exchange, () => exchange.cutOff(CLIENT_SLOW))
    return
  }
  const { body } = found
  sendGrowing(body, exchange)
  limitTime(exchange, (seconds) => {
    if (body.state.kind === "growing") exchange.fail(upstreamTimeout({ seconds }))
    else exchange.cutOff(CLIENT_SLOW)
  })
}

const CLIENT_SLOW = "CLIENT_SLOW"
const BEARER = { "www-authenticate": "Bearer" }

/** A client gets its answer within its own time; others that wait for the same are not concerned. */
function limitTime({ request, response, limits }: Exchange, over: (seconds: number) => void): void {
  if (response.writableFinished) return
  const seconds = deadlineOf(request.headers, limits.upstreamTimeout)
  const timer = setTimeout(over, seconds * 1000, seconds)
  // a connection on which nothing moves would be ended before that, without an answer
  if ((request.socket.timeout ?? 0) <= seconds * 1000) request.socket.setTimeout(0)
  response.once("close", () => clearTimeout(timer))
}

function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { "retry-after": String(Math.ceil(seconds)) }
}

/** A shared request has the time and the size that the most generous client may have; each client's own limits apply besides. */
function targetOf({ clients, upstreams, path, reuse }: Policy): Target {
  const most = (limit: "upstreamTimeout" | "responseBytes" | "series"): number =>
    Math.max(...clients.map(({ limits }) => limits[limit]))
  const target = {
    upstreams,
    path,
    timeout: most("upstreamTimeout"),
    bytes: most("responseBytes"),
    series: most("series"),
  }
  const hrefs = upstreams.map(({ href }) => href).join(" ")
  return { ...target, name: [path, target.timeout, target.bytes, target.series, reuse, hrefs].join(" ") }
}
