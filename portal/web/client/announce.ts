import { byId } from "./elements.ts"

/** A screen reader is not interrupted more often. */
const LEAST_BETWEEN = 10_000
const MOST_NAMES = 3

let waiting = new Map<string, string>()
let timer: ReturnType<typeof setTimeout> | undefined
let last = -Infinity

/** Says with others that a site is in another state now. */
export function announce(name: string, state: string): void {
  waiting.set(name, state)
  timer ??= setTimeout(say, Math.max(0, last + LEAST_BETWEEN - performance.now()))
}

function say(): void {
  timer = undefined
  last = performance.now()
  const changes = [...waiting]
  waiting = new Map()
  const byState = Map.groupBy(changes, ([, state]) => state)
  const status = byId("say")
  if (!status) return
  status.textContent =
    changes.length <= MOST_NAMES
      ? `${changes.map(([name, state]) => `${name}: ${state}`).join(". ")}.`
      : `${changes.length} sites changed: ${[...byState].map(([state, names]) => `${names.length} ${state}`).join(", ")}.`
}
