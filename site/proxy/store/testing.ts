import type { Fetch } from "../upstream/fetch.ts"
import type { Sink } from "../upstream/intake.ts"
import type { Question } from "../upstream/question.ts"
import type { Body } from "./body.ts"
import { type Clock, type Found, openStore } from "./store.ts"

/** Time that moves when it is told to. */
function handClock(): Clock & { move(milliseconds: number): Promise<void> } {
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

interface Asked {
  readonly question: Question
  readonly sink: Sink
  readonly signal: AbortSignal
  readonly at: number
  answer(text?: string): Promise<void>
  fail(error: Error): Promise<void>
}

/** A store whose questions upstream are kept, and answered by hand, or by themselves after `took()` milliseconds. */
export function startStore({
  memory = 1000,
  took,
  late = false,
}: { memory?: number; took?: () => number; late?: boolean } = {}) {
  const clock = handClock()
  const asked: Asked[] = []
  const fetch: Fetch = (question, sink, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const at = clock.now()
    signal.addEventListener("abort", () => reject(new Error("aborted")))
    const answer = async (text = `made ${at}`): Promise<void> => {
      sink.begin({ format: "text", gzip: false, headers: ["content-type", "text/plain"], length: undefined })
      try {
        sink.add(Buffer.from(text))
        resolve()
      } catch (error) {
        reject(error)
      }
      await settled()
    }
    asked.push({ question, sink, signal, at, answer, fail: (error) => (reject(error), settled()) })
    if (took !== undefined) clock.after(took(), () => void answer())
    return promise
  }
  return { clock, asked, store: openStore(fetch, memory, late ? { ...clock, after: () => () => undefined } : clock) }
}

/** What a client got in the end. */
export function read(found: Found): { leave(): void; result(): string } {
  if (found.source === "reused") {
    const { content } = found.stored
    return { leave: () => undefined, result: () => content.toString() }
  }
  const { body }: { body: Body } = found
  const chunks: Buffer[] = []
  const advance = (): void => {
    while (link.next !== undefined) chunks.push((link = link.next).chunk)
    if (body.state.kind !== "growing") body.leave(advance)
  }
  let link = body.join(advance)
  return {
    leave: () => body.leave(advance),
    result: () => (body.state.kind === "failed" ? String(body.state.error) : Buffer.concat(chunks).toString()),
  }
}
