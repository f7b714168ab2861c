import { setTimeout as wait } from "node:timers/promises"
import type { Fault } from "#core/errors.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { Rollout } from "../federation/rollout.ts"
import { changeFile, type Changed, type ChangeOptions } from "./change-file.ts"
import type { Change } from "./edit.ts"

/** What became of a change that stands in the file. */
export interface Applied extends Changed {
  /** `confirmed` by Prometheus; `refused` by it; `pending`: neither until now. */
  readonly outcome: "confirmed" | "pending" | "refused"
  /** Why it is not confirmed; empty where it is. */
  readonly reason: string
}

/** What reads the file, and brings Prometheus its configuration. */
export interface Applying {
  /** Reads the file now; never throws. */
  reload(): Promise<void>
  /** For which it is not in force. */
  faults(): readonly Fault[]
  /** To each Prometheus. */
  readonly rollouts: readonly Pick<Rollout, "confirmed" | "problem">[]
}

/** Milliseconds between two looks. */
const LOOK = 50
/** Seconds that a request waits for Prometheus. */
const PATIENCE = 10

/** Changes the file, one change after the other, and waits until Prometheus has confirmed or refused it, but not for long. */
export function openChanges(
  file: string,
  validate: ChangeOptions["validate"],
  applying: Applying,
  patience = PATIENCE,
) {
  const oneByOne = limitConcurrency(1)
  return async (change: Change, ifMatch?: string): Promise<Applied> => {
    const { rollouts } = applying
    // each attempt has a problem of its own: those of before are not about this change
    const before = new Set(rollouts.map((one) => one.problem()))
    const changed = await oneByOne(() => changeFile(file, change, { validate, ifMatch }))
    if (changed.written) await applying.reload()
    const until = performance.now() + patience * 1000
    for (;;) {
      const faults = applying.faults().map(({ where, message }) => `${where}: ${message}`)
      if (faults.length > 0) return { ...changed, outcome: "pending", reason: faults.join("; ") }
      if (rollouts.every((one) => one.confirmed() !== undefined))
        return { ...changed, outcome: "confirmed", reason: "" }
      const problems = rollouts.map((one) => one.problem()).filter((one) => one !== undefined && !before.has(one))
      const refusal = problems.find((one) => one?.code === "RELOAD_REFUSED")
      if (refusal !== undefined) return { ...changed, outcome: "refused", reason: refusal.reason }
      const [problem] = problems
      if (performance.now() > until)
        return { ...changed, outcome: "pending", reason: problem?.reason ?? "Prometheus has not read it yet." }
      await wait(LOOK)
    }
  }
}
