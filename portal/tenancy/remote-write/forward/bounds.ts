/** How much at once, and for how long. */
export interface ForwardBounds {
  /** Upstream requests in flight, without those of slow tenants. */
  readonly parallel: number
  /** Requests of slow tenants in flight, besides. */
  readonly parallelSlow: number
  /** Of one tenant; of a slow one it is 1. */
  readonly parallelOfTenant: number
  /**
   * Seconds after which a request in flight shows that its tenant is slow: it waits for an upstream that is dead or has too
   * much to do, and must not keep other tenants waiting.
   */
  readonly slowAfter: number
  /** Bytes of slices that wait, uncompressed. */
  readonly waitingBytes: number
  readonly waitingBytesOfTenant: number
  /** Seconds that a slice waits for its request. */
  readonly waitingSeconds: number
  /** Seconds for an upstream request. */
  readonly timeout: number
  /** Samples, histograms, exemplars and metadata that several senders' slices in one request may have; 0: none share one. */
  readonly sharedElements: number
  /** Tenants with something in flight or waiting. */
  readonly tenants: number
}

/** Bytes of several slices in one request, uncompressed: receivers take 32 MiB and more. */
export const SHARED_BYTES = 8 * 2 ** 20
