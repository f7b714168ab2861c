import type { RuleResource } from "./rule-resource.ts"
import type { ResourceSource } from "./source.ts"

/**
 * Calls back with each namespace that is no longer selected while resources in it have our finalizer, once until it is
 * selected again. Ends with the signal.
 */
export function followLeftNamespaces(
  source: ResourceSource,
  left: (namespace: string, guarded: readonly RuleResource[]) => void,
  signal: AbortSignal,
): void {
  const told = new Set<string>()
  const look = (): void => {
    const { incomplete, left: found = new Map<string, readonly RuleResource[]>() } = source.snapshot()
    if (incomplete.size > 0 || signal.aborted) return // which are selected is not known
    for (const namespace of told) if (!found.has(namespace)) told.delete(namespace)
    for (const [namespace, guarded] of found) {
      if (told.has(namespace)) continue
      told.add(namespace)
      left(namespace, guarded)
    }
  }
  const stop = source.onChange(look)
  signal.addEventListener("abort", stop, { once: true })
  look()
}
