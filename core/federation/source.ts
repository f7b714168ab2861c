import type { IncomingHttpHeaders } from "node:http"
import type { FedstackError } from "#core/errors.ts"
import type { Selector } from "#core/promql/selector.ts"
import type { CachedRequest, FetchResponse } from "#core/response-cache/cache.ts"
import type { Client, ClientPolicy } from "./client.ts"

/** Of a client's request what a response may depend on besides the series. */
export interface RequestedFormat {
  /** What is understood of Accept; undefined where there was none. */
  readonly accept: string | undefined
  readonly "accept-encoding": IncomingHttpHeaders["accept-encoding"]
}

/** The sources of one policy: requests that share a key share a response. `Q`: what it makes of selectors. */
export interface Target<C extends Client, Q, R extends CachedRequest> {
  /** Made once of what a client may have, for all its requests. Throws a FedstackError for the client. */
  query(client: C, selectors: readonly Selector[]): Q
  /** `last`, where that was made of the same query and is the same. */
  request(query: Q, format: RequestedFormat, last: R | undefined): R
  /** Whether there were good responses since then (of the clock of `openFederation`): what is late is late by itself. */
  workedSince(milliseconds: number): boolean
}

/** Where series come from. */
export interface Source<P extends ClientPolicy<C>, C extends Client, Q, R extends CachedRequest> {
  readonly fetch: FetchResponse<R>
  /** Called once for each policy that comes into force. */
  apply(policy: P): Target<C, Q, R>
  /** The error of a client that had no whole response in its time; `works`: others had theirs meanwhile. */
  late(seconds: number, works: boolean): FedstackError
  close(): Promise<void>
}
