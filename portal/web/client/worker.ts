import { openStream, type Report, type Stream } from "./stream.ts"

/** Of a page: the version that it shows, or that it is closed. */
export type PageMessage = { readonly since: string } | "closed"

/**
 * One stream for all tabs of a browser, which opens no more than six connections to an origin. A tab that shows less than
 * the stream has reported makes it begin again from there: what the others get twice changes nothing.
 */
function serveTabs(): void {
  const ports = new Set<MessagePort>()
  let stream: Stream | undefined
  let standing: Report | undefined

  const restart = (since: string): void => {
    stream?.close()
    stream = openStream(since, (report) => {
      standing = report
      for (const port of ports) port.postMessage(report)
    })
  }
  addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports
    if (!port) return
    port.addEventListener("message", ({ data }: MessageEvent<PageMessage>) => {
      if (data === "closed") {
        ports.delete(port)
        return
      }
      ports.add(port)
      const isLive = standing?.kind === "changes" || standing?.kind === "beat"
      const lacksNothing = isLive && stream !== undefined && isAtLeast(data.since, stream.version())
      if (lacksNothing) port.postMessage({ kind: "live" } satisfies Report)
      else restart(earlier(data.since, stream?.version()))
    })
    port.start()
  })
}

const numberOf = (version: string): number => Number(version.slice(version.lastIndexOf("-") + 1))
const runOf = (version: string): string => version.slice(0, version.lastIndexOf("-"))

function isAtLeast(version: string, other: string): boolean {
  return runOf(version) === runOf(other) && numberOf(version) >= numberOf(other)
}

/** The one from which both pages get all that they lack; none where they are of different runs of the portal. */
function earlier(version: string, other = version): string {
  if (runOf(version) !== runOf(other)) return ""
  return numberOf(version) < numberOf(other) ? version : other
}

if ("onconnect" in globalThis) serveTabs()
