import {
  type CacheClock,
  type CachedRequest,
  type FetchResponse,
  type FoundResponse,
  openResponseCache,
} from "./cache.ts"
import type { ResponseSink } from "./growing.ts"

/** Time that moves by hand. */
function handClock(): CacheClock & { move(milliseconds: number): Promise<void> } {
  let time = 0
  const timers = new Set<{ readonly at: number; readonly call: () => void }>()
  return {
    now: () => time,
    after(milliseconds, call) {
      const timer = { at: time + milliseconds, call }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async move(milliseconds) {
      const end = time + milliseconds
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers.delete(next)
        time = Math.max(time, next.at)
        next.call()
        await settled()
      }
      time = end
      await settled()
    },
  }
}

/** All promises that can go on have gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Fetched {
  readonly request: CachedRequest
  readonly sink: ResponseSink
  readonly signal: AbortSignal
  readonly at: number
  respond(text?: string): Promise<void>
  fail(error: Error): Promise<void>
}

/** A cache whose upstream requests are kept, and responded to by hand, or by themselves after `took()` milliseconds. */
export function startCache({
  memory = 1000,
  took,
  late = false,
  overhead = 0,
}: { memory?: number; took?: () => number; late?: boolean; overhead?: number } = {}) {
  const clock = handClock()
  const fetched: Fetched[] = []
  const fetch: FetchResponse<CachedRequest> = (request, sink, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const at = clock.now()
    signal.addEventListener("abort", () => reject(new Error("aborted")))
    const respond = async (text = `made ${at}`): Promise<void> => {
      sink.begin({ headers: ["content-type", "text/plain"], length: undefined })
      try {
        sink.add(Buffer.from(text))
        resolve()
      } catch (error) {
        reject(error)
      }
      await settled()
    }
    fetched.push({ request, sink, signal, at, respond, fail: (error) => (reject(error), settled()) })
    if (took !== undefined) clock.after(took(), () => void respond())
    return promise
  }
  const cache = openResponseCache(
    fetch,
    memory,
    late ? { ...clock, after: () => () => undefined } : clock,
    () => overhead,
  )
  return { clock, fetched, cache }
}

/** What a client got in the end. */
export function read(found: FoundResponse, name?: string): { leave(): void; result(): string } {
  if (found.source === "reused") {
    const { content } = found.stored
    return { leave: () => undefined, result: () => content.toString() }
  }
  const { growing } = found
  const chunks: Buffer[] = []
  const advance = (): void => {
    while (link.next !== undefined) chunks.push((link = link.next).chunk)
    if (growing.state.kind !== "growing") growing.leave(advance)
  }
  let link = growing.join(advance, name)
  return {
    leave: () => growing.leave(advance),
    result: () => (growing.state.kind === "failed" ? String(growing.state.error) : Buffer.concat(chunks).toString()),
  }
}
