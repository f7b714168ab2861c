import type { IncomingMessage, ServerResponse } from "node:http"
import type { BatchLog } from "#core/log/batch-log.ts"
import { explain, FedstackError } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import type { ClientMetrics, ProxyMetrics } from "./metrics.ts"
import type { Client, Shared } from "./policy/types.ts"

export interface Accounts {
  readonly metrics: ProxyMetrics
  readonly audit: BatchLog
  readonly log: Logger
}

/** What is asked, and which shared selectors allow it: none, as long as that is not decided. */
export interface Asked {
  readonly selectors: readonly Selector[]
  readonly by: readonly Shared[]
  /** As it stands in the log, once it was needed. */
  shown?: string
}

/** One request from its arrival to its end: what was found out about it on the way. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly headOnly: boolean
  client: Client | undefined
  asked: Asked | undefined
  /** More about a refusal, for the log alone. */
  detail: string | undefined
  /** How the answer was come by: upstream, joined or reused. */
  source: string | undefined
  /** Of the answer, as sent so far. */
  bytes = 0
  /** Of an answer that was given to the connection whole. */
  series: number | undefined
  /** Called at the end, where the client counts as having a request under way. */
  leave: (() => void) | undefined
  #ending: string | undefined
  readonly #begin = performance.now()
  readonly #accounts: Accounts

  /** Keeps account from now on; when the connection is done with the request, logs one line and counts it. */
  constructor(request: IncomingMessage, response: ServerResponse, accounts: Accounts) {
    this.request = request
    this.response = response
    this.headOnly = request.method === "HEAD"
    this.#accounts = accounts
    response.once("close", () => this.#finish())
  }

  get over(): boolean {
    return this.response.destroyed || this.response.writableEnded
  }

  get limits(): Client["limits"] {
    if (this.client === undefined) throw new Error("limits of nobody")
    return this.client.limits
  }

  get metrics(): ClientMetrics {
    return this.#accounts.metrics.client(this.client?.name ?? "")
  }

  /** Tells the error where nothing was sent yet, else breaks the connection: half an answer must not look like a whole one. */
  fail(error: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const { response } = this
    const known = error instanceof FedstackError ? error : undefined
    if (known === undefined) this.#accounts.log.error({ reason: explain(error) }, "request failed")
    this.cutOff(known?.code ?? "INTERNAL")
    if (response.headersSent || response.destroyed) return
    const text = `${known?.message ?? "Internal error; see the log."}\n`
    response.writeHead(known?.status ?? 500, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(text),
      ...headers,
    })
    response.end(this.headOnly ? undefined : text)
  }

  /** Breaks the connection of an answer that has begun; `ending` is why, for the log. */
  cutOff(ending: string): void {
    this.#ending ??= ending
    if (this.response.headersSent) this.response.destroy()
  }

  #finish(): void {
    const { client, response } = this
    this.leave?.()
    const series = response.writableFinished ? this.series : undefined
    if (!response.writableFinished) this.#ending ??= "CLIENT_GONE"
    // 499 as in nginx: nobody was there to be answered
    const status = response.headersSent ? response.statusCode : 499
    const reason = (this.#ending ?? "ok").toLowerCase()
    const seconds = (performance.now() - this.#begin) / 1000
    const { metrics } = this
    metrics.count(status, reason)
    metrics.duration.observe(seconds)
    if (client !== undefined) metrics.bytes.inc(this.bytes)
    if (series !== undefined) metrics.series.inc(series)
    if (this.source !== undefined) metrics.answers(this.source)
    const broken = status === 200 && this.#ending !== undefined && this.#ending !== "CLIENT_GONE"
    this.#accounts.audit.write(status >= 500 || broken ? "warn" : "info", this.#shown(), {
      remote: this.request.socket.remoteAddress,
      status,
      reason,
      detail: this.detail,
      source: this.source,
      series,
      bytes: this.bytes,
      seconds: Math.round(seconds * 1e6) / 1e6,
    })
  }

  /** What many requests have in common. Without the query, and of strangers only the one path that exists: people put tokens into both. */
  #shown(): string {
    const { asked, client, request } = this
    const { audit } = this.#accounts
    const path = request.url?.split("?", 1)[0] ?? ""
    const who = audit.show({
      method: request.method,
      path: path === "/federate" || client !== undefined ? path.slice(0, 100) : undefined,
      client: client?.name,
      subject: client?.subject,
      not_granted: client?.notGranted,
    })
    if (asked === undefined) return who
    asked.shown ??= audit.show({
      match: asked.selectors.map(printSelector).join(" "),
      rule: asked.by.length === 0 ? undefined : asked.by.map(({ where }) => where).join(" "),
    })
    return who + asked.shown
  }
}
