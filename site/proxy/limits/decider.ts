import { Worker } from "node:worker_threads"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Selector } from "#core/promql/selector.ts"
import type { Grant, JudgeElsewhere, Verdict } from "../authorize.ts"
import { tooMuchToDecide } from "../errors.ts"
import type { Effort } from "./effort.ts"

export interface DeciderTimes {
  /** Milliseconds that a question may wait, and then be decided. */
  readonly deadline: number
  /** Milliseconds without a question until the thread ends. */
  readonly idle: number
}

const DECIDER_TIMES: DeciderTimes = { deadline: 10_000, idle: 60_000 }
/** Questions that wait, of one client and of all. */
const MOST_OF_CLIENT = 64
const MOST = 1024
/** Of the thread; beyond, it ends, and the question counts as too hard. */
const MEGABYTES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 }
const THREAD = new URL("decider-worker.ts", import.meta.url)

/** Decides about selectors that take work, in a thread of its own, so that nobody else waits for it. */
export interface Decider extends Closable {
  /** Clients take turns. Throws TOO_MUCH_TO_DECIDE for who has used up what it may cause, and where it takes too long. */
  readonly judge: JudgeElsewhere
}

/** What the thread answers. */
export interface Decision {
  readonly verdict: Verdict
  /** Of processor time: who asks does not pay for a busy machine. */
  readonly seconds: number
}

interface Question {
  readonly client: string
  readonly asked: { readonly grant: Grant; readonly selector: Selector }
  readonly since: number
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: unknown) => void
}

/** `thread`: what decides; another one in tests. */
export function openDecider(effort: Effort, log: Logger, { deadline, idle } = DECIDER_TIMES, thread = THREAD): Decider {
  /** By client, the one whose turn it is first. */
  const waiting = new Map<string, Question[]>()
  let count = 0
  let under: Question | undefined
  let worker: Worker | undefined
  let begun = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function start(): Worker {
    const made = new Worker(thread, { resourceLimits: MEGABYTES })
    // one that was given up may have answered before it learnt so: that is no verdict about what is asked now
    made.on("message", ({ verdict, seconds }: Decision) => {
      if (made === worker) finish(seconds, (question) => question.resolve(verdict))
    })
    made.on("error", (error) => {
      if (made === worker) lose(`it ended: ${explain(error)}`)
    })
    made.unref() // after listening, which would undo it
    return made
  }

  function next(): void {
    if (under !== undefined || closed) return
    const [name, questions] = waiting.entries().next().value ?? []
    clearTimeout(timer)
    const question = questions?.shift()
    if (name === undefined || question === undefined) {
      timer = setTimeout(end, idle).unref()
      return
    }
    count--
    waiting.delete(name)
    if (questions !== undefined && questions.length > 0) waiting.set(name, questions)
    if (effort.wait(name) > 0 || performance.now() - question.since > deadline) {
      question.reject(tooMuchToDecide({ client: name }))
      next()
      return
    }
    under = question
    begun = performance.now()
    timer = setTimeout(lose, deadline, `it took more than ${deadline / 1000} s`).unref()
    worker ??= start()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
    worker.postMessage(question.asked)
  }

  function finish(seconds: number, tell: (question: Question) => void): void {
    if (under === undefined) return
    const question = under
    under = undefined
    effort.spend(question.client, seconds)
    tell(question)
    next()
  }

  /** A new thread decides what comes next. */
  function lose(reason: string): void {
    log.warn({ client: under?.client, reason }, "a decision about a selector was given up")
    end()
    const seconds = (performance.now() - begun) / 1000
    finish(seconds, (question) => question.reject(tooMuchToDecide({ client: question.client })))
  }

  function end(): void {
    void worker?.terminate()
    worker = undefined
  }

  return {
    judge(client, selector) {
      const { name } = client
      const questions = waiting.get(name) ?? []
      const busy = closed || count >= MOST || questions.length >= MOST_OF_CLIENT || effort.wait(name) > 0
      if (busy) return Promise.reject(tooMuchToDecide({ client: name }))
      const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
      // nothing of the client but what the verdict depends on
      const grant = { enforce: client.enforce, shared: client.shared.map((one) => ({ selector: one.selector })) }
      questions.push({ client: name, asked: { grant, selector }, since: performance.now(), resolve, reject })
      waiting.set(name, questions)
      count++
      next()
      return promise
    },
    async close() {
      closed = true
      clearTimeout(timer)
      const left = [...(under === undefined ? [] : [under]), ...[...waiting.values()].flat()]
      for (const { client, reject } of left) reject(tooMuchToDecide({ client }))
      waiting.clear()
      under = undefined
      await worker?.terminate()
    },
  }
}
