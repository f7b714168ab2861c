import { openStream, type Report, request, type Stream } from "./stream.ts"
import type { PageMessage } from "./worker.ts"

/** Of a tab that is hidden and that has no worker. */
const HIDDEN_POLL = 60_000

/** Reports what changed since the version that the page shows, by one stream for all tabs where the browser can. */
export function connect(version: () => string, report: (report: Report) => void): void {
  const alone = (): void => connectAlone(version, report)
  if (!("SharedWorker" in globalThis)) return alone()
  try {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "fedstack" })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
    const tell = (message: PageMessage): void => worker.port.postMessage(message)
    worker.addEventListener("error", alone, { once: true })
    worker.port.addEventListener("message", ({ data }: MessageEvent<Report>) => report(data))
    worker.port.start()
    tell({ since: version() })
    addEventListener("pagehide", () => tell("closed"))
    // a page that a browser kept while another was shown
    addEventListener("pageshow", ({ persisted }) => persisted && tell({ since: version() }))
  } catch {
    alone()
  }
}

/** A stream only while the tab is seen: six tabs with one each would leave no connection for requests. */
function connectAlone(version: () => string, report: (report: Report) => void): void {
  let stream: Stream | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  const follow = (): void => {
    stream?.close()
    clearInterval(timer)
    if (document.hidden) timer = setInterval(() => void poll(), HIDDEN_POLL)
    else stream = openStream(version(), report)
  }
  const poll = async (): Promise<void> => {
    const outcome = await request(version())
    if (!document.hidden) return
    if (outcome === "signed_out") clearInterval(timer)
    report(
      typeof outcome === "string"
        ? { kind: outcome === "failed" ? "lost" : outcome }
        : { kind: "changes", changes: outcome },
    )
  }
  document.addEventListener("visibilitychange", follow)
  addEventListener("pagehide", () => stream?.close())
  addEventListener("pageshow", ({ persisted }) => persisted && follow())
  follow()
}
