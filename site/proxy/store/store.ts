import type { Closable } from "#core/closable.ts"
import type { Fetch } from "../upstream/fetch.ts"
import type { Question } from "../upstream/question.ts"
import { Body } from "./body.ts"
import { boundedMemory, type Memory } from "./memory.ts"
import { Pace } from "./pace.ts"
import { Stored } from "./stored.ts"

export interface Clock {
  /** Milliseconds that only grow. */
  readonly now: () => number
  /** Calls once after so many milliseconds; the result takes it back. */
  readonly after: (milliseconds: number, call: () => void) => () => void
}

export const clock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref()
    return () => clearTimeout(timer)
  },
}

/** An answer, and how it was come by: `upstream` for whoever caused the request, `joined` for those who came meanwhile. */
export type Found =
  | { readonly source: "reused"; readonly stored: Stored }
  | { readonly source: "upstream" | "joined"; readonly body: Body }

export interface Store extends Closable {
  /** The answer that is young enough, for whoever can't wait. */
  fresh(key: string): Stored | undefined
  /** The caller joins a body that it gets, in the same turn: one that nobody reads is given up. */
  find(question: Question, reuse: number): Found
  readonly memory: Memory
  readonly entries: number
}

interface Flight {
  readonly body: Body
  readonly cancel: AbortController
}

interface Entry {
  readonly question: Question
  /** Milliseconds that an answer serves. */
  readonly reuse: number
  stored: Stored | undefined
  flight: Flight | undefined
  /** How long its answers take. */
  readonly pace: Pace
  /** Whether the stored answer's successor was asked for. */
  renewed: boolean
  lastAsked: number
  cancelTimer: () => void
}

/**
 * Answers of upstream, shared by all who ask the same at the same time, and within the time of reuse. An answer's age
 * counts from the start of its upstream request. One that is in demand is renewed before it reaches the limit, so that
 * nobody waits; one that nobody asks for again ends. Only whole good answers are kept.
 */
export function openStore(fetch: Fetch, memoryLimit: number, { now, after }: Clock = clock): Store {
  const entries = new Map<string, Entry>()
  const memory = boundedMemory(memoryLimit, dropOldest)

  const isFresh = (entry: Entry): boolean => entry.stored !== undefined && now() - entry.stored.started < entry.reuse
  /** Not in the first half of its time: an upstream that is slow under load must not be asked the more for it. */
  const renewalTime = (entry: Entry, stored: Stored): number =>
    stored.started + Math.max(entry.reuse / 2, entry.reuse - entry.pace.most())

  function fresh(key: string): Stored | undefined {
    const entry = entries.get(key)
    if (entry?.stored === undefined || !isFresh(entry)) return undefined
    const { stored } = entry
    stored.asked++
    entry.lastAsked = now()
    if (!entry.renewed && entry.lastAsked >= renewalTime(entry, stored)) renew(entry)
    return stored
  }

  function find(question: Question, reuse: number): Found {
    const stored = fresh(question.key)
    if (stored !== undefined) return { source: "reused", stored }
    const known = entries.get(question.key)
    if (known?.flight !== undefined) return { source: "joined", body: known.flight.body }
    const entry = known ?? {
      question,
      reuse: reuse * 1000,
      stored: undefined,
      flight: undefined,
      pace: new Pace(),
      renewed: false,
      lastAsked: now(),
      cancelTimer: () => undefined,
    }
    entries.set(question.key, entry)
    return { source: "upstream", body: start(entry).body }
  }

  /** In the background: nobody waits for it, and it goes on when nobody does. */
  function renew(entry: Entry): void {
    entry.renewed = true
    if (entry.flight !== undefined) return
    const { body } = start(entry)
    const hold = (): void => {
      if (body.state.kind !== "growing") body.leave(hold)
    }
    body.join(hold)
    body.readers = 0 // it is no demand
  }

  function start(entry: Entry): Flight {
    const started = now()
    const cancel = new AbortController()
    const body = new Body(memory, () => {
      end(entry, flight)
      cancel.abort()
      body.end({ kind: "failed", error: new Error("nobody waits for it any more") })
    })
    const flight: Flight = { body, cancel }
    entry.flight = flight
    fetch(entry.question, body, cancel.signal).then(
      () => {
        if (entry.flight === flight) keep(entry, flight, started)
        end(entry, flight)
        body.end({ kind: "whole" })
      },
      (error: unknown) => {
        if (body.state.kind !== "growing") return
        end(entry, flight)
        body.end({ kind: "failed", error })
      },
    )
    return flight
  }

  function keep(entry: Entry, { body }: Flight, started: number): void {
    const took = now() - started
    entry.pace.add(took)
    if (took >= entry.reuse || body.answer === undefined || !memory.take(body.bytes)) return
    entry.stored?.drop()
    const stored = new Stored(started, body.answer.headers, body.joined(), body.series, memory)
    entry.stored = stored
    entry.renewed = false
    if (body.readers > 1) stored.asked++
    entry.cancelTimer()
    entry.cancelTimer = after(Math.max(0, renewalTime(entry, stored) - now()), () => {
      if (stored.asked > 0 && !entry.renewed) renew(entry)
      entry.cancelTimer = after(Math.max(1, started + entry.reuse - now()), () => dropStored(entry))
    })
  }

  function end(entry: Entry, flight: Flight): void {
    if (entry.flight !== flight) return
    entry.flight = undefined
    if (entry.stored === undefined) entries.delete(entry.question.key)
  }

  function dropStored(entry: Entry): void {
    entry.cancelTimer()
    entry.stored?.drop()
    entry.stored = undefined
    if (entry.flight === undefined && entries.get(entry.question.key) === entry) entries.delete(entry.question.key)
  }

  function dropOldest(): boolean {
    let oldest: Entry | undefined
    for (const entry of entries.values()) {
      if (entry.stored !== undefined && entry.lastAsked < (oldest?.lastAsked ?? Infinity)) oldest = entry
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
    close() {
      for (const entry of entries.values()) {
        entry.flight?.cancel.abort()
        dropStored(entry)
      }
      return Promise.resolve()
    },
  }
}
