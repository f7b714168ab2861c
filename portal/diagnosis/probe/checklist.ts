import type { CauseId } from "../causes/index.ts"
import { type Stage, STAGES, type StageResult } from "../probe-report.ts"

/** What is wrong, by the id of a cause. */
export interface Problem {
  readonly cause: CauseId
  /** As hostile as the site sends them. */
  readonly details: Readonly<Record<string, string | undefined>>
}

/** What a probe notes on its way. Its first failed stage ends the way. */
export class Checklist {
  readonly #results = new Map<Stage, StageResult>()
  readonly #failures: Problem[] = []
  readonly #notes: Problem[] = []
  readonly #cancelled: AbortSignal
  #stage: Stage = STAGES[0]
  #began = performance.now()

  /** What fails after `cancelled` was aborted fails by that, and is not noted. */
  constructor(cancelled: AbortSignal) {
    this.#cancelled = cancelled
  }

  /** The stage that is looked at from now on. */
  begin(stage: Stage): void {
    this.#stage = stage
    this.#began = performance.now()
  }

  passed(detail: string, stage = this.#stage): void {
    this.#set(stage, "passed", detail)
  }

  skipped(detail: string, stage = this.#stage): void {
    this.#results.set(stage, { stage, outcome: "skipped", detail })
  }

  failed(problem: Problem, detail: string, stage = this.#stage): void {
    if (this.#cancelled.aborted) return
    this.#set(stage, "failed", detail)
    this.#failures.push(problem)
  }

  /** Another thing that is wrong, beside what the stage itself results in. */
  note(problem: Problem): void {
    this.#notes.push(problem)
  }

  unknown(detail: string, stage = this.#stage): void {
    this.#results.set(stage, { stage, outcome: "not_reached", detail })
  }

  #set(stage: Stage, outcome: "passed" | "failed", detail: string): void {
    const seconds = stage === this.#stage ? (performance.now() - this.#began) / 1000 : undefined
    this.#results.set(stage, { stage, outcome, detail, ...(seconds === undefined ? {} : { seconds }) })
  }

  get stages(): readonly StageResult[] {
    return STAGES.map((stage) => this.#results.get(stage) ?? { stage, outcome: "not_reached" })
  }

  /** Failures first; each cause once. */
  get problems(): readonly Problem[] {
    const all = [...this.#failures, ...this.#notes]
    return all.filter(({ cause }, index) => all.findIndex((other) => other.cause === cause) === index)
  }
}
