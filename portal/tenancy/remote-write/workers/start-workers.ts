import { Counter, Gauge, Registry } from "prom-client"
import type { Running } from "#core/component.ts"
import { type Closable, closeAll } from "#core/closable.ts"
import type { Address } from "#core/config/settings.ts"
import { explain } from "#core/errors.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import { listeningOf } from "#core/http/settings.ts"
import { clearThread, createLimitMemory } from "#core/limits/shared-limits.ts"
import type { Logger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { backoff } from "#core/retry/backoff.ts"
import { requireRoom, shareOf, type TenancyProxyValues } from "../config.ts"
import { addUp } from "./add-up.ts"
import type { FromWorker, WorkerStart } from "./messages.ts"
import { packValues } from "./packed-values.ts"
import { openThread, type Thread } from "./thread.ts"

export interface WorkersContext {
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface RunningWorkers extends Running {
  readonly addresses: readonly Address[]
  readonly threads: readonly (Thread | undefined)[]
}

/** As many threads as `--workers` says, on the same addresses: one that dies is started again. */
export async function startWorkers(values: TenancyProxyValues, { log, env }: WorkersContext): Promise<RunningWorkers> {
  const count = values.workers
  requireRoom(values)
  const own = createRegistry({ busy: true })
  const up = new Gauge({ name: "fedstack_tenancy_proxy_workers", help: "Workers that receive.", registers: [own] })
  const restarts = new Counter({
    name: "fedstack_tenancy_proxy_worker_restarts_total",
    help: "Workers that ended by themselves and were started again.",
    registers: [own],
  })
  const limits = createLimitMemory(count)
  const packed = packValues(shareOf(values, count))
  const threads: (Thread | undefined)[] = Array.from({ length: count }, () => undefined)
  const failures = new Map<number, number>()
  const running = (): readonly Thread[] => threads.filter((thread) => thread !== undefined)
  let addresses = listeningOf(values).addresses
  let closing = false
  const timers = new Set<NodeJS.Timeout>()

  const open = async (number: number): Promise<void> => {
    const start: WorkerStart = { values: packed, addresses, level: log.level, env, number, limits }
    const thread = await openThread({ number, start, received, died: (reason) => replace(number, reason) })
    threads[number] = thread
    up.set(running().length)
  }

  /** Not at once where it dies again and again. */
  function replace(number: number, reason: string): void {
    threads[number] = undefined
    clearThread(limits, number)
    up.set(running().length)
    if (closing) return
    restarts.inc()
    const failed = (failures.get(number) ?? 0) + 1
    failures.set(number, failed)
    const seconds = backoff(failed)
    log.error({ worker: number, reason, seconds }, "a worker ended, starting it again")
    const timer = setTimeout(() => {
      timers.delete(timer)
      open(number).catch((error: unknown) => replace(number, explain(error)))
    }, seconds * 1000)
    timers.add(timer)
  }

  function received(message: FromWorker, from: Thread | undefined): void {
    if (message.kind === "log") write(message.line, from)
    else if (message.kind === "remember") {
      for (const thread of threads) if (thread !== from) thread?.send(message)
    } else if (message.kind === "expose") {
      void exposition().then(({ text, type }) => from?.send({ kind: "exposition", id: message.id, text, type }))
    }
  }

  function write(line: string, from: Thread | undefined): void {
    const { level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
    const shown = { ...fields, ts: undefined, component: undefined, worker: from?.number }
    if (level === "error") log.error(shown, String(msg))
    else if (level === "warn") log.warn(shown, String(msg))
    else if (level === "debug") log.debug(shown, String(msg))
    else log.info(shown, String(msg))
  }

  async function exposition(): Promise<{ readonly text: string; readonly type: string }> {
    const all = await Promise.all(running().map((thread) => thread.collect()))
    const merged = Registry.merge([own, addUp(all)])
    return { text: await merged.metrics(), type: merged.contentType }
  }

  const opened: Closable[] = [
    // at once: each finishes what is in flight within its own deadline
    { close: async () => void (await Promise.all(running().map((thread) => thread.close()))) },
  ]
  const close = async (): Promise<void> => {
    closing = true
    for (const timer of timers) clearTimeout(timer)
    await closeAll(opened)
  }
  try {
    // the first finds the ports where 0 is given, and every fault
    await open(0)
    addresses = threads[0]?.addresses ?? addresses
    await Promise.all(threads.slice(1).map((_, index) => open(index + 1)))
    const notReady = (): string | undefined => {
      if (closing) return "Ending."
      const number = threads.findIndex((thread) => thread === undefined || thread.notReady !== undefined)
      return number < 0 ? undefined : `worker ${number}: ${threads[number]?.notReady ?? "it is starting"}`
    }
    if (values.adminListenAddress !== undefined) {
      const admin = await serve({
        ...{ addresses: [values.adminListenAddress], flag: "--admin.listen-address", webConfigFile: undefined },
        ...{ log, registry: own },
        routes: (app) =>
          addAdmin(app, { contentType: own.contentType, metrics: async () => (await exposition()).text }, notReady),
      })
      opened.push(admin)
    }
    return {
      addresses,
      threads,
      reload: async () => void (await Promise.all(running().map((thread) => thread.reload()))),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
