import type { IncomingMessage, ServerResponse } from "node:http"
import { explain, FedstackError } from "#core/errors.ts"
import type { ClientGate } from "#core/limits/client-limits.ts"
import type { BatchLog } from "#core/log/batch-log.ts"
import type { Logger } from "#core/log/logger.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { headersOf } from "./errors.ts"
import type { ClientMetrics } from "./client-metrics.ts"
import type { FederationMetrics } from "./metrics.ts"
import type { SharedSelector } from "#core/promql/authorize.ts"
import type { Client } from "./client.ts"

export interface RecordSinks {
  readonly metrics: FederationMetrics
  readonly audit: BatchLog
  readonly log: Logger
  /** What is served; of unauthenticated clients, no other path is logged. */
  readonly paths: readonly string[]
}

/** What a client requests, and which shared selectors allow it: none, as long as that is not decided. */
export interface RequestedSelectors {
  readonly selectors: readonly Selector[]
  readonly by: readonly SharedSelector[]
  /** As it stands in the log with this method, once it was needed. */
  shown?: { readonly method: string | undefined; readonly text: string }
}

/** What was found out about one request from its arrival to its end. */
export class RequestRecord<C extends Client = Client> {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly headOnly: boolean
  client: C | undefined
  requested: RequestedSelectors | undefined
  /** More about a refusal, for the log alone. */
  detail: string | undefined
  /** Where the response came from: upstream, joined or reused. */
  source: string | undefined
  /** Of the response, as sent so far. */
  bytes = 0
  /** Of a response that was given to the connection whole. */
  series: number | undefined
  #leave: (() => void) | undefined
  #ending: string | undefined
  readonly #begin = performance.now()
  readonly #sinks: RecordSinks

  /** When the connection is done with the request, logs one line and counts it. */
  constructor(request: IncomingMessage, response: ServerResponse, sinks: RecordSinks) {
    this.request = request
    this.response = response
    this.headOnly = request.method === "HEAD"
    this.#sinks = sinks
    response.on("close", () => this.#finish())
  }

  get over(): boolean {
    return this.response.destroyed || this.response.writableEnded
  }

  /** Of the client; empty as long as it is not known. */
  get name(): string {
    return this.client?.name ?? ""
  }

  get limits(): C["limits"] {
    if (this.client === undefined) throw new Error("limits of an unauthenticated client")
    return this.client.limits
  }

  get metrics(): ClientMetrics {
    return this.#sinks.metrics.client(this.client?.entry ?? this.name)
  }

  /** Counts as in flight for the client, until the end. Throws LimitExceeded. */
  enter(client: C, gate: ClientGate): void {
    this.client = client
    const leave = gate.enter(client)
    const { metrics } = this
    metrics.enter()
    this.#leave = () => {
      leave()
      metrics.leave()
    }
  }

  /** Sends the error where nothing was sent yet, else breaks the connection: half a response must not look like a whole one. */
  fail(error: unknown): void {
    const { response } = this
    const known = error instanceof FedstackError ? error : undefined
    if (known === undefined) this.#sinks.log.error({ reason: explain(error) }, "request failed")
    // what was wrong with its request: the operator reads the log rather than the response
    if (this.client !== undefined && known !== undefined && known.status < 500) this.detail ??= shorten(known.message)
    this.cutOff(known?.code ?? "INTERNAL")
    if (response.headersSent || response.destroyed) return
    const text = `${known?.message ?? "Internal error; see the log."}\n`
    response.writeHead(known?.status ?? 500, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(text),
      ...headersOf(error),
    })
    response.end(this.headOnly ? undefined : text)
  }

  /** Breaks the connection of a response that has begun; `ending` is why, for the log. */
  cutOff(ending: string): void {
    this.#ending ??= ending
    if (this.response.headersSent) this.response.destroy()
  }

  #finish(): void {
    const { response, source, bytes, metrics } = this
    this.#leave?.()
    const series = response.writableFinished ? this.series : undefined
    if (!response.writableFinished) this.#ending ??= "CLIENT_GONE"
    // 499 as in nginx: the client was gone before a response
    const status = response.headersSent ? response.statusCode : 499
    const reason = (this.#ending ?? "ok").toLowerCase()
    const seconds = (performance.now() - this.#begin) / 1000
    metrics.finish({ code: status, reason, seconds, bytes, series, source })
    const broken = status === 200 && this.#ending !== undefined && this.#ending !== "CLIENT_GONE"
    this.#sinks.audit.write(status >= 500 || broken ? "warn" : "info", this.#shown(), {
      remote: this.request.socket.remoteAddress,
      status,
      reason,
      detail: this.detail,
      source,
      series,
      bytes,
      seconds: Math.round(seconds * 1e6) / 1e6,
    })
  }

  /** What many requests have in common. Without the query, and of strangers only paths that exist: people put tokens into both. */
  #shown(): string {
    const { requested, client, request } = this
    const { audit, paths } = this.#sinks
    if (requested?.shown !== undefined && requested.shown.method === request.method) return requested.shown.text
    const path = request.url?.split("?", 1)[0] ?? ""
    const common = audit.show({
      method: request.method,
      path: paths.includes(path) || client !== undefined ? path.slice(0, 100) : undefined,
      client: client?.name,
      subject: client?.subject,
      not_granted: client?.notGranted,
    })
    if (requested === undefined) return common
    const selectors = audit.show({
      match: joinSome(requested.selectors.map(printSelector)),
      rule: requested.by.length === 0 ? undefined : joinSome(requested.by.map(({ where }) => where)),
    })
    requested.shown = { method: request.method, text: common + selectors }
    return requested.shown.text
  }
}

/** Characters of a message, which may hold a selector. */
const MOST_OF_MESSAGE = 500

const shorten = (text: string): string =>
  text.length > MOST_OF_MESSAGE ? `${text.slice(0, MOST_OF_MESSAGE - 1)}…` : text

/** Characters of a line of the log for all selectors of a request, which may have a thousand. */
const MOST_SHOWN = 8000

function joinSome(texts: readonly string[]): string {
  const shown: string[] = []
  let characters = 0
  for (const text of texts) {
    characters += text.length + 1
    if (characters > MOST_SHOWN && shown.length > 0)
      return [...shown, `and ${texts.length - shown.length} more`].join(" ")
    shown.push(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text)
  }
  return shown.join(" ")
}
