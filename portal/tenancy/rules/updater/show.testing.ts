import type { World } from "./world.testing.ts"

/** Ruler, tenant, address and expression of all that the rulers hold. */
export const held = (world: World): readonly string[] =>
  [...world.groups]
    .flatMap(([place, groups]) => [...groups].map(([key, { group }]) => `${place} ${key} ${group.rules[0]?.expr}`))
    .toSorted()

export const conditionsOf = (world: World, key: string): readonly string[] =>
  (world.resources.get(key)?.status?.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
  )
