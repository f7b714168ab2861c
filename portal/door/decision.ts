/** What becomes of a request whose path and method are on the list of an upstream. */
export interface Decision {
  /**
   * `page`: HTML that is the same for all requests, whose scripts may run. `query`: what the upstream works for, whose
   * `timeout` is capped. `plain`: everything else. `nothing`: an empty response, without a request to the upstream.
   */
  readonly kind: "page" | "query" | "plain" | "nothing"
  /** Below the upstream's prefix, encoded. */
  readonly path: string
}

/** Path is decoded, as of parseTarget(). undefined: it does not exist here. */
export type Decide = (method: string, path: string) => Decision | undefined

export const isRead = (method: string): boolean => method === "GET" || method === "HEAD"
