import type { Changes } from "../live/changes.ts"

/** What a page learns: changes, or whether it still receives them. */
export type Report =
  | { readonly kind: "changes"; readonly changes: Changes }
  | { readonly kind: "beat"; readonly now: number }
  | { readonly kind: "live" }
  | { readonly kind: "lost" }
  | { readonly kind: "signed_out" }

/** Without a beat for so long a connection is dead, though no event reports it. */
const SILENCE = 40_000
/** Between two requests of a page that gets no stream. */
const POLL = 15_000
/** After a failure, and half of it more by chance. */
const RETRY = 3000

export interface Stream {
  /** The version up to which changes were reported. */
  version(): string
  close(): void
}

/**
 * Reports what changed since a version: by a stream, else by requests. A response that is a login ends it: to go on would
 * fail for ever, and lock accounts.
 */
export function openStream(since: string, report: (report: Report) => void): Stream {
  let version = since
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  const later = (milliseconds: number, run: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(run, milliseconds)
  }
  const changed = (changes: Changes): void => {
    version = changes.id
    report({ kind: "changes", changes })
  }
  const lose = (): void => {
    report({ kind: "lost" })
    later(RETRY * (1 + Math.random() / 2), connect)
  }
  const end = (): void => {
    closed = true
    clearTimeout(timer)
    source?.close()
  }
  const alive = (): void =>
    later(SILENCE, () => {
      source?.close()
      lose()
    })

  function connect(): void {
    const opened = new EventSource(`/api/v1/events?since=${encodeURIComponent(version)}`)
    source = opened
    alive()
    opened.addEventListener("changes", ({ data }: MessageEvent<string>) => {
      alive()
      changed(JSON.parse(data) as Changes)
    })
    opened.addEventListener("beat", ({ data }: MessageEvent<string>) => {
      alive()
      report({ kind: "beat", now: Number(data) })
    })
    opened.addEventListener("error", () => {
      // while it connects again by itself
      if (opened.readyState !== EventSource.CLOSED) return report({ kind: "lost" })
      void poll()
    })
  }

  /** An EventSource does not say why it ended. */
  async function poll(): Promise<void> {
    clearTimeout(timer)
    const outcome = await request(version)
    if (closed) return
    if (outcome === "signed_out") {
      report({ kind: "signed_out" })
      return end()
    }
    if (outcome === "failed") return lose()
    changed(outcome)
    later(POLL, connect)
  }

  connect()
  return { version: () => version, close: end }
}

/** One request for what changed. */
export async function request(version: string): Promise<Changes | "signed_out" | "failed"> {
  try {
    const response = await fetch(`/api/v1/changes?since=${encodeURIComponent(version)}`, {
      redirect: "manual",
      cache: "no-cache",
      signal: AbortSignal.timeout(10_000),
    })
    if (isLogin(response)) return "signed_out"
    return response.ok ? ((await response.json()) as Changes) : "failed"
  } catch {
    return "failed"
  }
}

/** Of a login in front of the portal, or of its own. */
export function isLogin({ type, status }: Response): boolean {
  return type === "opaqueredirect" || status === 401 || status === 403
}
