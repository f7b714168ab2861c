import type { StatusSource } from "../../status/overview.ts"
import { type Changes, trackChanges, type Views } from "./changes.ts"
import type { Clock } from "./clock.ts"

/** Where events for one page are written. */
export interface Sink {
  write(event: Uint8Array | string): void
  /** Bytes written that the client has not taken yet. */
  queued(): number
  end(): void
  destroy(): void
}

/** Open streams; beyond that pages poll. */
const MOST_STREAMS = 256
/** Bytes that wait for a client, beyond which it is cut: it comes back and gets what it missed, which is less. */
const MOST_QUEUED = 1_048_576
const LEAST_BETWEEN = 1000
/** Proxies close connections without a byte after 30 s or more. */
const BEAT = 15_000
/** After which a page connects again, half of it more by chance: a restarted portal is not met by all at once. */
const RETRY = 3000

export interface LiveOptions {
  readonly source: StatusSource
  readonly views: Views
  readonly clock: Clock
  /** Between 0 and 1. */
  readonly random: () => number
  /** Distinguishes this run of the portal from those before it. */
  readonly epoch: string
}

export type Live = ReturnType<typeof openLive>

/** Sends what changed to all open pages, rendered and written as text once, at most once a second. */
export function openLive({ source, views, clock, random, epoch }: LiveOptions) {
  const sinks = new Set<Sink>()
  const detailed = new Set<string>()
  const changes = trackChanges(epoch, views, () => clock.now(), source.current())
  let lastFlush = -Infinity
  let cancelFlush: (() => void) | undefined
  let cancelBeat = clock.after(BEAT, beat)
  let closed = false
  let caughtUp: { readonly key: string; readonly event: Buffer } | undefined

  /** Written once for pages that lack the same and come in one second, as all do after a restart: it tells the time. */
  function missedSince(version: string | undefined): Buffer {
    const key = `${changes.numberIn(version)} ${changes.version()} ${Math.floor(clock.now() / 1000)}`
    if (caughtUp?.key !== key) caughtUp = { key, event: Buffer.from(eventOf(changes.since(version))) }
    return caughtUp.event
  }

  const unsubscribe = source.subscribe((names) => {
    for (const name of names) detailed.add(name)
    cancelFlush ??= clock.after(Math.max(0, lastFlush + LEAST_BETWEEN - clock.now()), flush)
  })

  function flush(): void {
    cancelFlush = undefined
    lastFlush = clock.now()
    caughtUp = undefined
    const changed = changes.advance(source.current(), detailed)
    detailed.clear()
    if (changed !== undefined && sinks.size > 0) sendAll(Buffer.from(eventOf(changed)))
  }
  /** A comment would keep the connection; as an event the page, too, sees that it is alive, and what time it is. */
  function beat(): void {
    cancelBeat = clock.after(BEAT, beat)
    sendAll(Buffer.from(`: alive\nevent: beat\ndata: ${clock.now()}\n\n`))
  }
  function sendAll(event: Buffer): void {
    for (const sink of sinks) {
      if (sink.queued() <= MOST_QUEUED) {
        sink.write(event)
        continue
      }
      sinks.delete(sink)
      sink.destroy()
    }
  }

  return {
    /** Of a page that is rendered now: it lacks nothing from before, and names it when it connects. */
    version: (): string => changes.version(),
    /** What a page of a version lacks, for pages that poll. */
    since: (version: string | undefined): Changes => changes.since(version),
    streams: (): number => sinks.size,
    isFull: (): boolean => closed || sinks.size >= MOST_STREAMS,
    /** Sends what a page lacks, and from then on what changes. Returns how to end it. */
    join(sink: Sink, version: string | undefined): () => void {
      sink.write(`retry: ${Math.round(RETRY * (1 + random() / 2))}\n`)
      sink.write(missedSince(version))
      sinks.add(sink)
      return () => void sinks.delete(sink)
    },
    /** Ends all streams. Clients that are behind are cut: they would hold the server's end up. */
    close: (): void => {
      if (closed) return
      closed = true
      unsubscribe()
      cancelFlush?.()
      cancelBeat()
      for (const sink of sinks) {
        if (sink.queued() > 0) sink.destroy()
        else sink.end()
      }
      sinks.clear()
    },
  }
}

function eventOf(changes: Changes): string {
  return `id: ${changes.id}\nevent: changes\ndata: ${JSON.stringify(changes)}\n\n`
}
