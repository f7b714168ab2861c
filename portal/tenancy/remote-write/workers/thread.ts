import { Worker } from "node:worker_threads"
import type { Address } from "#core/config/settings.ts"
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts"
import { toError } from "./plain-error.ts"

export interface Thread {
  readonly number: number
  /** Where it listens. */
  readonly addresses: readonly Address[]
  /** Why it cannot receive now. */
  notReady: string | undefined
  send(message: ToWorker): void
  collect(): Promise<readonly object[]>
  reload(): Promise<void>
  /** Ends it as a defect would. */
  kill(): void
  /** Finishes what is in flight. */
  close(): Promise<void>
}

interface ThreadContext {
  readonly number: number
  readonly start: WorkerStart
  /** What the thread sends that is no response. */
  readonly received: (message: FromWorker, thread: Thread | undefined) => void
  /** It ended by itself, after it had started. */
  readonly died: (reason: string) => void
}

/** Milliseconds that a thread has to close. */
const CLOSE = 10_000

/** Resolves when the thread receives. Throws what its start throws. */
export function openThread({ number, start, received, died }: ThreadContext): Promise<Thread> {
  const { promise, resolve, reject } = Promise.withResolvers<Thread>()
  const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: { tenancyProxy: start } })
  const waiting = new Map<number, (result: readonly object[]) => void>()
  const exited = new Promise<void>((resolveExit) => worker.once("exit", () => resolveExit()))
  let asked = 0
  let thread: Thread | undefined
  let closing = false
  let reason = "it ended"

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  const post = (message: ToWorker): void => worker.postMessage(message)
  const request = (kind: "collect" | "reload"): Promise<readonly object[]> => {
    const response = Promise.withResolvers<readonly object[]>()
    waiting.set(++asked, response.resolve)
    post({ kind, id: asked })
    return response.promise
  }
  const settle = (id: number, result: readonly object[]): void => {
    waiting.get(id)?.(result)
    waiting.delete(id)
  }
  worker.on("message", (message: FromWorker) => {
    if (message.kind === "collected") settle(message.id, message.metrics)
    else if (message.kind === "reloaded") settle(message.id, [])
    else if (message.kind === "failed") reject(toError(message.error))
    else if (message.kind === "started") {
      thread = {
        ...{ number, addresses: message.addresses, notReady: undefined },
        send: post,
        collect: () => request("collect"),
        reload: async () => void (await request("reload")),
        kill: () => void worker.terminate(),
        async close() {
          closing = true
          post({ kind: "close" })
          const timer = setTimeout(() => void worker.terminate(), CLOSE)
          await exited
          clearTimeout(timer)
        },
      }
      resolve(thread)
    } else if (message.kind === "ready" && thread !== undefined) thread.notReady = message.reason
    else received(message, thread)
  })
  worker.on("error", (error) => (reason = error.message))
  worker.on("exit", () => {
    for (const id of waiting.keys()) settle(id, [])
    if (thread === undefined) reject(new Error(`worker ${number} could not start: ${reason}`))
    else if (!closing) died(reason)
  })
  return promise
}
