import { setImmediate as nextTurn } from "node:timers/promises"
import type { WorkBudget } from "./client-limits.ts"

/** Milliseconds of work after which other requests get a turn. */
const SLICE = 5

/** Work on the event loop, where all other requests wait for it. */
export interface Turns {
  /** Does it now, at the client's cost. */
  charge<T>(client: string, work: () => T): T
  /** Between two pieces of work: resolves when those who waited longer had their turn. */
  rest(): Promise<void>
}

/** Where nothing else waits. */
export const UNLIMITED_TURNS: Turns = { charge: (_, work) => work(), rest: () => Promise.resolve() }

/** However many requests have work to do, it is a slice for each turn of the event loop. `now`: milliseconds. */
export function createTurns({ spend }: Pick<WorkBudget, "spend">, now: () => number): Turns {
  let worked = 0
  let last: Promise<void> = Promise.resolve()
  return {
    charge(client, work) {
      const begin = now()
      try {
        return work()
      } finally {
        const took = now() - begin
        worked += took
        spend(client, took / 1000)
      }
    },
    async rest() {
      if (worked < SLICE) return
      const turn = last.then(() => nextTurn())
      last = turn
      await turn
      worked = 0
    },
  }
}
