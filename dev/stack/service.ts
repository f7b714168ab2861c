import { backoff, pause } from "#core/retry/backoff.ts"
import { died, type Process, type Processes, type Program } from "./processes.ts"
import type { Progress } from "./progress.ts"

/** What a service needs of its run. */
export interface Keeper {
  readonly processes: Pick<Processes, "start" | "fail" | "logFile">
  readonly progress: Pick<Progress, "say">
  /** Whether the end of any process ends everything. */
  readonly strict: boolean
  readonly signal: AbortSignal
}

/** Seconds that a process must run for its next end to count as its first. */
const STABLE = 60

/** A program that runs until it is stopped: where it ends by itself, that is reported, and it is started again. */
export class Service {
  readonly program: Program
  readonly #keeper: Keeper
  #child: Process | undefined
  #failures = 0

  /** Of a process that runs; it is started again by `program`. */
  constructor(keeper: Keeper, program: Program, child: Process) {
    this.#keeper = keeper
    this.program = program
    this.#watch(child)
  }

  /** Until `start`; returns when it has ended. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await child?.stop()
  }

  start(): void {
    if (this.#child === undefined) this.#watch(this.#keeper.processes.start(this.program))
  }

  /** Has it read its configuration again. */
  reload(): void {
    this.#child?.signal("SIGHUP")
  }

  #watch(child: Process): void {
    this.#child = child
    const began = performance.now()
    void child.ended.then(async (how) => {
      if (performance.now() - began > STABLE * 1000) this.#failures = 0
      await this.#restart(child, how)
    })
  }

  async #restart(child: Process, how: string): Promise<void> {
    const { processes, progress, strict, signal } = this.#keeper
    const isOver = (): boolean => this.#child !== child || signal.aborted
    if (isOver()) return
    if (strict) return processes.fail(await died(child, how))
    const seconds = backoff(++this.#failures, { least: 1, most: 60 })
    progress.say(
      `${child.name} ended by itself (${how}). Everything else goes on; it is started again in ${seconds.toFixed(0)} s. Its log: ${processes.logFile(child.name)}`,
    )
    await pause(seconds, signal)
    if (!isOver()) this.#watch(processes.start(this.program))
  }
}
