import { setImmediate as nextTurn } from "node:timers/promises"
import { explain, FedstackError } from "#core/errors.ts"
import { compile } from "./compiled.ts"
import { sharesEverything } from "./containment.ts"
import { parseSelector } from "./parse.ts"
import type { Selector } from "./selector.ts"

/** A selector of a policy; `everything`: it shares whatever a target exposes. */
export type ReadSelector = { readonly selector: Selector; readonly everything: boolean } | { readonly fault: string }

export type SelectorReader = ReturnType<typeof createSelectorReader>

/** Milliseconds after which requests get a turn while a large policy is read. */
const SLICE = 5

/** Reads selectors of policies; remembers those of the last two, since a reload mostly brings the same again. */
export function createSelectorReader() {
  let before: ReadonlyMap<string, ReadSelector> = new Map()
  let current = new Map<string, ReadSelector>()
  let sliceEnd = 0
  return {
    async read(text: string): Promise<ReadSelector> {
      let result = current.get(text) ?? before.get(text)
      if (result === undefined && performance.now() > sliceEnd) {
        await nextTurn()
        sliceEnd = performance.now() + SLICE
      }
      result ??= readSelector(text)
      current.set(text, result)
      return result
    },
    /** A policy was read to its end: forgets what neither it nor the one before mentioned. */
    finish(): void {
      before = current
      current = new Map()
    },
  }
}

function readSelector(text: string): ReadSelector {
  let selector: Selector
  try {
    selector = parseSelector(text)
  } catch (error) {
    if (error instanceof FedstackError) return { fault: explain(error) }
    throw error
  }
  if (selector.length === 0) return { fault: `${text} has no matcher; say which series are shared` }
  const compiled = compile(selector)
  const problem = compiled.problem("at least")
  if (problem !== undefined) return { fault: `${problem}; write it simpler, so that requests can be compared with it` }
  return { selector, everything: !isNarrow(selector) && sharesEverything(compiled) }
}

/** A label that must have one value: no need to compare automata. */
function isNarrow(selector: Selector): boolean {
  return selector.some(({ op, value }) => op === "=" && value !== "")
}
