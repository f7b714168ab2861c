import { GrowingResponse, type GrowingState, type ResponseSink } from "./growing.ts"
import { LatencyEstimate } from "./latency.ts"
import { boundedMemory } from "./memory.ts"
import { StoredResponse } from "./stored.ts"

export interface CacheClock {
  /** Milliseconds that only grow. */
  readonly now: () => number
  /** Calls once after so many milliseconds; the result takes it back. */
  readonly after: (milliseconds: number, call: () => void) => () => void
}

const CLOCK: CacheClock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref()
    return () => clearTimeout(timer)
  },
}

/** That an entry takes besides its key, which clients may make long, and its response. */
const ENTRY_BYTES = 1000

/** Requests with the same key share one response. */
export interface CachedRequest {
  readonly key: string
}

/** Resolves when a good response is whole. Rejects with what clients are to see, or with what `signal` was aborted with. */
export type FetchResponse<R> = (request: R, sink: ResponseSink, signal: AbortSignal) => Promise<void>

/** A response, and its source: `upstream` for the client that caused the request, `joined` for those that came meanwhile. */
export type FoundResponse =
  | { readonly source: "reused"; readonly stored: StoredResponse }
  | { readonly source: "upstream" | "joined"; readonly growing: GrowingResponse }

export type ResponseCache = ReturnType<typeof openResponseCache<CachedRequest>>

interface CacheEntry<R> {
  readonly request: R
  /** Milliseconds that a response serves. */
  readonly reuse: number
  stored: StoredResponse | undefined
  flight: GrowingResponse | undefined
  readonly latency: LatencyEstimate
  /** Whether the successor of the stored response was requested. */
  renewed: boolean
  lastUsed: number
  cancelTimer: () => void
}

/**
 * Responses of upstream, shared by all that request the same at the same time, and within the time of reuse. A response's
 * age counts from the start of its upstream request. One in demand is renewed before it reaches the limit, so that no
 * client waits; one that is not requested again ends. Only whole good responses are kept.
 */
export function openResponseCache<R extends CachedRequest>(
  fetch: FetchResponse<R>,
  memoryLimit: number,
  { now, after }: CacheClock = CLOCK,
  overheadOf: (request: R) => number = ({ key }) => ENTRY_BYTES + 2 * key.length,
) {
  const entries = new Map<string, CacheEntry<R>>()
  const memory = boundedMemory(memoryLimit, dropOldest)

  /** Not in the first half of its time: an upstream that is slow under load must not get more requests for it. */
  const renewalTime = ({ reuse, latency }: CacheEntry<R>, stored: StoredResponse): number =>
    stored.started + Math.max(reuse / 2, reuse - latency.most())

  /** The response that is young enough. */
  function fresh(key: string): StoredResponse | undefined {
    const entry = entries.get(key)
    const time = now()
    if (entry?.stored === undefined || time - entry.stored.started >= entry.reuse) return undefined
    const { stored } = entry
    stored.requests++
    entry.lastUsed = time
    if (!entry.renewed && time >= renewalTime(entry, stored)) renew(entry)
    return stored
  }

  /** The caller joins a growing response in the same turn: one that has no reader is abandoned. `reuse`: seconds. */
  function find(request: R, reuse: number): FoundResponse {
    const stored = fresh(request.key)
    if (stored !== undefined) return { source: "reused", stored }
    const known = entries.get(request.key)
    if (known?.flight !== undefined) return { source: "joined", growing: known.flight }
    const entry = known ?? {
      request,
      reuse: reuse * 1000,
      stored: undefined,
      flight: undefined,
      latency: new LatencyEstimate(),
      renewed: false,
      lastUsed: now(),
      cancelTimer: () => undefined,
    }
    entries.set(request.key, entry)
    return { source: "upstream", growing: start(entry) }
  }

  /** In the background: it goes on although no client waits for it. */
  function renew(entry: CacheEntry<R>): void {
    entry.renewed = true
    if (entry.flight !== undefined) return
    const growing = start(entry)
    const hold = (): void => {
      if (growing.state.kind !== "growing") growing.leave(hold)
    }
    growing.join(hold)
    growing.demand = 0 // it is no demand
  }

  function start(entry: CacheEntry<R>): GrowingResponse {
    const started = now()
    const cancel = new AbortController()
    const abandon = (error = new Error("no client waits for it any more")): void => {
      end({ kind: "failed", error })
      cancel.abort()
    }
    const growing = new GrowingResponse(memory, abandon, overheadOf(entry.request))
    const end = (state: GrowingState): void => {
      if (entry.flight === growing) entry.flight = undefined
      deleteIfEmpty(entry)
      growing.end(state)
    }
    entry.flight = growing
    fetch(entry.request, growing, cancel.signal).then(
      () => {
        if (entry.flight === growing) keep(entry, growing, started)
        end({ kind: "whole" })
      },
      (error: unknown) => end({ kind: "failed", error }),
    )
    return growing
  }

  function keep(entry: CacheEntry<R>, growing: GrowingResponse, started: number): void {
    const took = now() - started
    entry.latency.add(took)
    const overhead = overheadOf(entry.request)
    if (took >= entry.reuse || growing.head === undefined || !memory.take(growing.bytes + overhead)) return
    entry.stored?.release()
    const stored = new StoredResponse(started, growing.head.headers, growing.joined(), growing.series, memory, overhead)
    entry.stored = stored
    entry.renewed = false
    if (growing.demand > 1) stored.requests++
    entry.cancelTimer()
    entry.cancelTimer = after(Math.max(0, renewalTime(entry, stored) - now()), () => {
      if (stored.requests > 0 && !entry.renewed) renew(entry)
      entry.cancelTimer = after(Math.max(1, started + entry.reuse - now()), () => dropStored(entry))
    })
  }

  function dropStored(entry: CacheEntry<R>): void {
    entry.cancelTimer()
    entry.stored?.release()
    entry.stored = undefined
    deleteIfEmpty(entry)
  }

  function deleteIfEmpty(entry: CacheEntry<R>): void {
    const { key } = entry.request
    if (entry.stored === undefined && entry.flight === undefined && entries.get(key) === entry) entries.delete(key)
  }

  function dropOldest(): boolean {
    let oldest: CacheEntry<R> | undefined
    for (const entry of entries.values()) {
      if (entry.stored !== undefined && entry.lastUsed < (oldest?.lastUsed ?? Infinity)) oldest = entry
    }
    if (oldest === undefined) return false
    dropStored(oldest)
    return true
  }

  return {
    fresh,
    find,
    memory,
    get entries() {
      return entries.size
    },
    /** Ends the requests upstream, too. */
    close(): void {
      for (const entry of entries.values()) {
        entry.flight?.abandon()
        dropStored(entry)
      }
    },
  }
}
