import { setImmediate as nextTurn } from "node:timers/promises"
import { explain, FedstackError } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { sharesEverything } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Selector } from "#core/promql/selector.ts"

/** What was found out about one text of a policy. */
export type Judged = { readonly selector: Selector; readonly everything: boolean } | { readonly fault: string }

/** Judges texts of selectors; remembers those of the last two policies, since a reload mostly brings the same again. */
export interface SelectorReader {
  read(text: string): Promise<Judged>
  /** A policy was read to its end: forgets what neither it nor the one before mentioned. */
  finish(): void
}

/** Milliseconds after which requests get a turn while a large policy is read. */
const SLICE = 5

export function createSelectorReader(): SelectorReader {
  let before: ReadonlyMap<string, Judged> = new Map()
  let current = new Map<string, Judged>()
  let sliceEnd = 0
  return {
    async read(text) {
      const known = current.get(text) ?? before.get(text)
      if (known !== undefined) {
        current.set(text, known)
        return known
      }
      if (performance.now() > sliceEnd) {
        await nextTurn()
        sliceEnd = performance.now() + SLICE
      }
      const judged = judge(text)
      current.set(text, judged)
      return judged
    },
    finish() {
      before = current
      current = new Map()
    },
  }
}

function judge(text: string): Judged {
  let selector: Selector
  try {
    selector = parseSelector(text)
  } catch (error) {
    if (error instanceof FedstackError) return { fault: explain(error) }
    throw error
  }
  if (selector.length === 0) return { fault: `${text} has no matcher; say which series are shared` }
  const compiled = compile(selector)
  if (compiled.problem !== undefined) {
    return { fault: `${compiled.problem}; write it simpler, so that requests can be compared with it` }
  }
  return { selector, everything: !isNarrow(selector) && sharesEverything(compiled) }
}

/** A label that must have one value: no need to compare automata. */
function isNarrow(selector: Selector): boolean {
  return selector.some(({ op, value }) => op === "=" && value !== "")
}
