import { compile, type CompiledSelector } from "#core/promql/compiled.ts"
import type { Selector } from "#core/promql/selector.ts"
import { Lru } from "./lru.ts"

/** Selectors of policies with their automata: a large policy has more than memory should hold, and most are asked for rarely. */
const KEPT = 2000
const compiled = new Lru<Selector, CompiledSelector>(KEPT)

export function compiledOf(selector: Selector): CompiledSelector {
  const known = compiled.get(selector)
  if (known !== undefined) return known
  const made = compile(selector)
  compiled.set(selector, made)
  return made
}
