import type { Turns } from "#core/limits/turns.ts"

/** Work on the event loop that can pause at each `yield`, where all else waits for it. */
export type Steps<T> = Generator<void, T>

/** Without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A slice in each turn of the event loop; undefined where it was aborted before the end. */
export async function inTurns<T>(steps: Steps<T>, turns: Turns, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    const step = turns.charge("", () => steps.next())
    if (step.done === true) return step.value
    await turns.rest()
  }
  return undefined
}
