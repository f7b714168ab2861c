import { once } from "node:events"
import { Agent, get, type IncomingMessage } from "node:http"
import { createInterface } from "node:readline"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"

interface Pages {
  readonly url: string
  readonly count: number
}

/**
 * Opens a stream so many times, from a thread of its own: what clients hold is then not in the memory of this one. The
 * result is how many whole events of changes the slowest client has, and how to close them.
 */
export function openPages(url: string, count: number) {
  const pages: Pages = { url, count }
  const worker = new Worker(new URL(import.meta.url), { workerData: pages })
  let least = 0
  let failed: unknown
  worker.on("message", (events: number) => (least = events))
  worker.on("error", (error) => (failed = error))
  return {
    events(): number {
      if (failed !== undefined) throw failed
      return least
    },
    close: () => worker.terminate(),
  }
}

async function read({ url, count }: Pages): Promise<void> {
  const agent = new Agent({ maxSockets: Infinity })
  const received = Array.from({ length: count }, () => 0)
  await Promise.all(
    received.map(async (_, page) => {
      const [response] = (await once(get(url, { agent }), "response")) as [IncomingMessage]
      createInterface({ input: response }).on("line", (line) => {
        // a line is whole when it is here; those of beats hold a number
        if (!line.startsWith("data: {")) return
        received[page] = (received[page] ?? 0) + 1
        const events = Math.min(...received)
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
        parentPort?.postMessage(events)
      })
    }),
  )
}

if (!isMainThread) await read(workerData as Pages)
