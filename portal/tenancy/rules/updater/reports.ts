import { backoff } from "#core/retry/backoff.ts"
import type { ReportedStatus } from "../resources/status.ts"
import type { Clock } from "./clock.ts"
import { inParallel } from "./in-parallel.ts"
import type { Ledger } from "./ledger.ts"

export interface ReportOptions {
  readonly ledger: Pick<Ledger, "report" | "release">
  readonly clock: Clock
  readonly signal: AbortSignal
  /** undefined: the resource is gone. */
  readonly statusOf: (owner: string) => ReportedStatus | undefined
  /** It is being deleted and owns nothing any more. */
  readonly isReleasable: (owner: string) => boolean
  /** Called with the first of failures in a row. */
  readonly failed: (owner: string, error: unknown) => void
}

/** Milliseconds in which what changes becomes one status. */
const GATHER = 1000
/** Milliseconds for which a status that is not known yet is not reported: mostly it is known soon. */
const PATIENCE = 10_000
/** Resources that are reported at once. */
const AT_ONCE = 8
const RETRY = { least: 1, most: 60 }

interface Due {
  readonly at: number
  readonly since: number
  readonly failures: number
}

/** Tells people what became of their resources, and lets those go that are deleted. */
export class Reports {
  readonly #options: ReportOptions
  readonly #due = new Map<string, Due>()
  #wake: () => void = () => undefined

  constructor(options: ReportOptions) {
    this.#options = options
  }

  /** Something may be to report, after so many milliseconds. */
  touch(owner: string, delay = GATHER): void {
    const now = this.#options.clock.now()
    const { at = Number.POSITIVE_INFINITY, since = now, failures = 0 } = this.#due.get(owner) ?? {}
    if (failures > 0) return // it is retried with what is known then
    this.#due.set(owner, { at: Math.min(at, now + delay), since, failures })
    this.#wake()
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#options
    const wake = (): void => this.#wake()
    signal.addEventListener("abort", wake)
    while (!signal.aborted) {
      const now = clock.now()
      const due = [...this.#due].filter(([, { at }]) => at <= now)
      await inParallel(due, AT_ONCE, ([owner, entry]) => this.#report(owner, entry))
      if (due.length > 0 || signal.aborted) continue
      const waking = new AbortController()
      this.#wake = () => waking.abort()
      const next = this.#due.values().reduce((least, { at }) => Math.min(least, at), now + 3_600_000)
      await clock.pause((next - now) / 1000, waking.signal)
    }
    signal.removeEventListener("abort", wake)
  }

  async #report(owner: string, { since, failures }: Due): Promise<void> {
    const { ledger, clock, signal, statusOf, isReleasable, failed } = this.#options
    this.#due.delete(owner)
    const status = statusOf(owner)
    if (status === undefined) return
    try {
      if (isReleasable(owner)) return await ledger.release(owner, signal)
      const isUnknown = status.conditions.some((condition) => condition.reason === "Pending")
      const now = clock.now()
      if (isUnknown && now < since + PATIENCE) this.#due.set(owner, { at: now + GATHER, since, failures })
      else await ledger.report(owner, status, signal)
    } catch (error) {
      if (signal.aborted) return
      if (failures === 0) failed(owner, error)
      const at = clock.now() + 1000 * backoff(failures + 1, RETRY)
      this.#due.set(owner, { at, since, failures: failures + 1 })
    }
  }
}
