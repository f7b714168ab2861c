import type { Closable } from "#core/closable.ts"
import { type AllowListContext, type NotReady, openAllowList } from "./allow-list/open-allow-list.ts"
import { createRouting } from "./create-routing.ts"
import { readRoutingConfig } from "./read-routing-config.ts"
import type { Routing } from "./routing.ts"
import type { RoutingValues } from "./settings.ts"

/** The routing in force: replaced as a whole when the allow list changes, so a request uses one from its begin to its end. */
export interface CurrentRouting extends Closable {
  current(): Routing | NotReady
  /** Reads the file of the allow list again, as on SIGHUP. Never throws. */
  reload(): Promise<void>
}

/** Throws UsageError or ConfigurationError with every fault of the settings. */
export async function openRouting(
  values: RoutingValues,
  context: Omit<AllowListContext, "changed">,
): Promise<CurrentRouting> {
  const config = readRoutingConfig(values)
  let current: Routing | undefined
  const list = await openAllowList(values, { ...context, changed: () => (current = undefined) })
  return {
    current() {
      if (current !== undefined) return current
      const state = list.current()
      return "notReady" in state ? state : (current = createRouting(config, state.allowed))
    },
    reload: () => list.reload(),
    close: () => list.close(),
  }
}
