import { closeAll } from "#core/closable.ts"
import type { Collector } from "../../collector.ts"
import { createExposition } from "./exposition.ts"
import { missingOf, statusText } from "./status.ts"
import { groupsOf, inOrder } from "./targets.ts"
import { watchGroup } from "./watch-group.ts"
import type { WatchContext } from "./watch-kind.ts"

/** Lists every kind once and then follows its changes. What is rendered is kept until it changes. */
export function collectOnWatch(context: WatchContext) {
  const { kinds } = context.scope
  const exposition = createExposition()
  const groups = groupsOf(kinds).map((group) => watchGroup(context, group))

  return {
    collect: (() => {
      const all = groups.flatMap((group) => group.kinds())
      const followed = inOrder(kinds, all, ({ state }) => state.target)
      const states = followed.map(({ state }) => state)
      const families = exposition(
        followed.flatMap(({ filled }) => filled),
        statusText(states),
      )
      const read = states.filter(({ target }) => target.resource !== undefined)
      const outdated = read.length > 0 && read.every(({ problem }) => problem !== undefined)
      return { families, missing: missingOf(states), outdated }
    }) satisfies Collector["collect"],
    /** Until every list was read or failed once, there is no saying what is missing. */
    notReady: (): string | undefined =>
      groups.every((group) => group.tried()) ? undefined : "The first lists are still under way.",
    close: () => closeAll(groups),
  }
}
