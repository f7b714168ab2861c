import { Worker } from "node:worker_threads"
import type { Closable } from "#core/closable.ts"
import { defineError, explain } from "#core/errors.ts"
import { LimitExceeded, type WorkBudget } from "#core/limits/client-limits.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import type { JudgeSelector } from "./authorize.ts"
import type { AllowedSelectors, SelectorVerdict } from "./judge.ts"
import type { Selector } from "./selector.ts"

/** Milliseconds. */
const DECIDER_TIMES = {
  /** That a request may wait, and then take. */
  deadline: 10_000,
  /** Without a request until the thread ends. */
  idle: 60_000,
}
export type DeciderTimes = Readonly<typeof DECIDER_TIMES>
/** Requests that wait, of one client and of all. */
const MOST_OF_CLIENT = 64
const MOST = 1024
/** Of the thread; beyond, it ends, and the selector counts as too hard. */
const MEGABYTES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 }
const THREAD = new URL("decider-worker.ts", import.meta.url)

/** What the thread receives. */
export interface JudgedRequest extends Pick<AllowedSelectors, "enforce"> {
  /** Undefined: those of the request before, which a long list would take long to send once more. */
  readonly shared: AllowedSelectors["shared"] | undefined
  readonly selector: Selector
}

/** What the thread sends for each request; "ready" before. */
export interface JudgedResult {
  readonly verdict: SelectorVerdict
  /** Of processor time: a client does not pay for a busy machine. */
  readonly seconds: number
}

interface Pending {
  readonly client: string
  readonly allowed: AllowedSelectors
  readonly selector: Selector
  readonly since: number
  readonly resolve: (verdict: SelectorVerdict) => void
  readonly reject: (error: Error) => void
}

/** For no fault of the client's. */
const cannotDecide = defineError(
  "CANNOT_DECIDE",
  503,
  "Whether the requested selectors are shared cannot be decided now; retry later.",
)

export function tooMuchToDecide(client: string, budget: WorkBudget): LimitExceeded {
  const message = `It took too long to decide about the selectors that ${client} requested; request fewer new ones, or retry later.`
  return new LimitExceeded("TOO_MUCH_TO_DECIDE", message, Math.max(1, budget.wait(client)))
}

export interface Decider extends Closable {
  readonly judge: JudgeSelector
  /** How often the thread could not be started. */
  readonly failures: () => number
}

/**
 * Judges selectors that take work, in a thread of its own, so that no other request waits for it. Clients take turns. Rejects
 * with TOO_MUCH_TO_DECIDE where a client's budget is spent, and where it takes too long; with CANNOT_DECIDE, at no cost for the
 * client, where the thread cannot be started, which the next request tries again. `thread`: another one in tests.
 */
export function openDecider(
  budget: WorkBudget,
  log: Logger,
  times: DeciderTimes = DECIDER_TIMES,
  thread = THREAD,
): Decider {
  /** By client, the one whose turn it is first. */
  const waiting = new Map<string, Pending[]>()
  let current: Pending | undefined
  let worker: Worker | undefined
  /** Those that it was sent last. */
  let sent: AllowedSelectors["shared"] | undefined
  /** Whether the worker has run at all: what ends it from then on is what it judges. */
  let ready = false
  let failures = 0
  const startFails = logChanges((fails: true | undefined, reason?: string) => {
    if (fails) log.error({ reason }, "the thread that decides cannot be started, refusing selectors that need it")
    else log.info({}, "the thread that decides is started again")
  })
  let begun = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function start(): Worker {
    const made = new Worker(thread, { resourceLimits: MEGABYTES })
    // one that was abandoned may have sent a verdict before it learnt so: not about the selector that is judged now
    made.on("message", (message: "ready" | JudgedResult) => {
      if (made !== worker) return
      if (message !== "ready") return finish(message.seconds, (pending) => pending.resolve(message.verdict))
      ready = true
      startFails(undefined)
    })
    // an error may overtake "ready", the end does not
    let reason: string | undefined
    made.on("error", (error) => (reason = explain(error)))
    made.on("exit", (code) => {
      if (made === worker) giveUp(reason ?? `exit code ${code}`)
    })
    made.unref() // after listening, which would undo it
    return made
  }

  function next(): void {
    if (current !== undefined || closed) return
    const [client, queue = []] = waiting.entries().next().value ?? []
    clearTimeout(timer)
    const pending = queue.shift()
    if (client === undefined || pending === undefined) {
      timer = setTimeout(() => void end(), times.idle).unref()
      return
    }
    waiting.delete(client)
    if (queue.length > 0) waiting.set(client, queue)
    if (budget.wait(client) > 0 || performance.now() - pending.since > times.deadline) {
      pending.reject(tooMuchToDecide(client, budget))
      next()
      return
    }
    current = pending
    begun = performance.now()
    timer = setTimeout(giveUp, times.deadline).unref()
    try {
      worker ??= start()
      const { shared, enforce } = pending.allowed
      // nothing of the client but what the verdict depends on
      const selectors = shared === sent ? undefined : shared.map((one) => ({ selector: one.selector }))
      const request: JudgedRequest = { shared: selectors, enforce, selector: pending.selector }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
      worker.postMessage(request)
      sent = shared
    } catch (error) {
      giveUp(explain(error))
    }
  }

  function finish(seconds: number, settle: (pending: Pending) => void): void {
    if (current === undefined) return
    const pending = current
    current = undefined
    budget.spend(pending.client, seconds)
    settle(pending)
    next()
  }

  /** A new thread judges what comes next. `ended`: why this one did; undefined where it takes too long. */
  function giveUp(ended?: string): void {
    const late = `it took more than ${times.deadline / 1000} s`
    if (!ready) return failToStart(ended ?? late)
    const reason = ended === undefined ? late : `its thread ended: ${ended}`
    log.warn({ client: current?.client, reason }, "decision about a selector abandoned, request refused")
    void end()
    const seconds = (performance.now() - begun) / 1000
    finish(seconds, (pending) => pending.reject(tooMuchToDecide(pending.client, budget)))
  }

  function failToStart(reason: string): void {
    failures++
    startFails(true, reason)
    void end()
    clearTimeout(timer)
    const left = takeAll()
    for (const { reject } of left) reject(cannotDecide({}))
  }

  function takeAll(): readonly Pending[] {
    const left = [...(current === undefined ? [] : [current]), ...[...waiting.values()].flat()]
    waiting.clear()
    current = undefined
    return left
  }

  async function end(): Promise<void> {
    const last = worker
    worker = undefined
    sent = undefined
    ready = false
    await last?.terminate()
  }

  return {
    judge(allowed, selector) {
      const { name } = allowed
      const queue = waiting.get(name) ?? []
      const busy =
        closed || [...waiting.values()].flat().length >= MOST || queue.length >= MOST_OF_CLIENT || budget.wait(name) > 0
      if (busy) return Promise.reject(tooMuchToDecide(name, budget))
      const { promise, resolve, reject } = Promise.withResolvers<SelectorVerdict>()
      queue.push({ client: name, allowed, selector, since: performance.now(), resolve, reject })
      waiting.set(name, queue)
      next()
      return promise
    },
    async close() {
      closed = true
      clearTimeout(timer)
      for (const { client, reject } of takeAll()) reject(tooMuchToDecide(client, budget))
      await end()
    },
    failures: () => failures,
  }
}
