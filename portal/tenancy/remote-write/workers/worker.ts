import { parentPort, workerData } from "node:worker_threads"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { sharedLimits } from "#core/limits/shared-limits.ts"
import { LOG_LEVELS } from "#core/log/format.ts"
import type { SharedEntry } from "../outcome/resends.ts"
import { startTenancyProxy } from "../start.ts"
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts"
import { unpackValues } from "./packed-values.ts"
import { plainError } from "./plain-error.ts"

/** One of several threads that receive on the same addresses. */
async function work(
  port: NonNullable<typeof parentPort>,
  { values, addresses, level, env, limits, number }: WorkerStart,
): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  const send = (message: FromWorker): void => port.postMessage(message)
  const known = LOG_LEVELS.find((one) => one === level) ?? "info"
  const log = createLogger({ level: known, format: "json" }, "worker", (line) => send({ kind: "log", line }))
  const registry = new Registry()
  const waiting = new Map<number, (exposition: { readonly text: string; readonly type: string }) => void>()
  let remember: (entry: SharedEntry) => void = () => undefined
  let asked = 0
  try {
    const running = await startTenancyProxy(unpackValues(values), {
      ...{ log, env, now: () => new Date() },
      // the same in all threads
      milliseconds: () => performance.timeOrigin + performance.now(),
      worker: {
        addresses,
        registry,
        limits: sharedLimits(limits, number),
        exposition() {
          const { promise, resolve } = Promise.withResolvers<{ readonly text: string; readonly type: string }>()
          waiting.set(++asked, resolve)
          send({ kind: "expose", id: asked })
          return promise
        },
        share: (entry) => send({ kind: "remember", entry }),
        receive: (put) => (remember = put),
      },
    })
    let reason: string | undefined
    const report = setInterval(() => {
      const now = running.notReady()
      if (now !== reason) send({ kind: "ready", reason: (reason = now) })
    }, 500)
    port.on("message", (message: ToWorker) => {
      if (message.kind === "remember") remember(message.entry)
      else if (message.kind === "collect")
        void registry.getMetricsAsJSON().then((metrics) => send({ kind: "collected", id: message.id, metrics }))
      else if (message.kind === "exposition") {
        waiting.get(message.id)?.(message)
        waiting.delete(message.id)
      } else if (message.kind === "reload") void running.reload().then(() => send({ kind: "reloaded", id: message.id }))
      else {
        clearInterval(report)
        void running.close().finally(() => port.close())
      }
    })
    send({ kind: "started", addresses: running.addresses })
    send({ kind: "ready", reason: (reason = running.notReady()) })
  } catch (error) {
    send({ kind: "failed", error: plainError(error) })
    port.close()
  }
}

// loaded by others it does nothing
if (parentPort !== null && isStart(workerData)) await work(parentPort, workerData.tenancyProxy)

function isStart(data: unknown): data is { readonly tenancyProxy: WorkerStart } {
  return typeof data === "object" && data !== null && "tenancyProxy" in data
}
