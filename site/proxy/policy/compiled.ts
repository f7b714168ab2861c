import { LRUCache } from "lru-cache"
import { compile, type CompiledSelector } from "#core/promql/compiled.ts"
import type { Selector } from "#core/promql/selector.ts"

/** Selectors of policies with their automata: a large policy has more than memory should hold, and most are asked for rarely. */
const compiled = new LRUCache<Selector, CompiledSelector>({ max: 2000 })

export function compiledOf(selector: Selector): CompiledSelector {
  const known = compiled.get(selector)
  if (known !== undefined) return known
  const made = compile(selector)
  compiled.set(selector, made)
  return made
}
