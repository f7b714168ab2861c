import assert from "node:assert/strict"
import { test } from "node:test"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { DIRECTION } from "../resources/rule-resource.ts"
import { RULERS, Sequence, TENANTS } from "./sequence.testing.ts"
import { chance, ownedBy, wants } from "./wants.testing.ts"
import type { World } from "./world.testing.ts"

const SEQUENCES = 200
const STEPS = 25
/** Back-offs of refused groups are hours long at most. */
const HOURS = 12

test("whatever is edited and whatever fails, rulers hold what is desired in the end, and what is foreign", async (t) => {
  const seed = seedOf(t)
  for (let number = 0; number < SEQUENCES; number++) {
    const random = chance(seed + number)
    t.mock.method(Math, "random", random)
    const sequence = new Sequence(random)
    const { world } = sequence
    await sequence.run(STEPS)
    await sequence.heal()
    for (let minutes = 0; minutes < HOURS * 60 && wrong(sequence).length > 0; minutes += 10)
      await world.clock.advance(600_000)
    await world.clock.advance(100_000)
    const before = world.calls.length
    await world.clock.advance(88_000) // two intervals
    const calls = world.calls.slice(before)
    const story = `sequence ${number} of seed ${seed}:\n${sequence.story.join("\n")}`
    assert.deepEqual(
      { wrong: wrong(sequence), never: sequence.violations, calls: needless(calls) },
      { wrong: [], never: [], calls: [] },
      story,
    )
    await world.stop()
  }
})

/** In a quiet time each tenant is read once an interval, and nothing else is done. */
function needless(calls: readonly string[]): readonly string[] {
  const many = [...Map.groupBy(calls, (call) => call)].flatMap(([call, all]) =>
    all.length > 3 ? [`${call} ${all.length}`] : [],
  )
  return [...calls.filter((call) => !call.startsWith("list ")), ...many]
}

/** How the rulers, the ledgers and the statuses differ from what the resources say. */
function wrong({ world, orphans }: Sequence): readonly string[] {
  const faults: string[] = []
  const all = [...world.resources].toSorted(([, { metadata: a }], [, { metadata: b }]) =>
    `${a.creationTimestamp}` < `${b.creationTimestamp}` ? -1 : 1,
  )
  const hampered = new Set<string>()
  for (const tenant of TENANTS) {
    const claims = Map.groupBy(
      all.flatMap(([, resource]) => wants(resource, tenant)),
      ([key]) => key,
    )
    const held = world.at(RULERS[0], tenant)
    const owners = ownersOf(world, tenant)
    for (const key of new Set([...claims.keys(), ...held.keys(), ...owners.keys()])) {
      const what = `${tenant} ${key}`
      const wanted = (claims.get(key) ?? []).map(([, one]) => one)
      const owning = owners.get(key) ?? []
      const stored = held.get(key)
      const isFree = stored?.isForeign === true || (stored !== undefined && owning.length === 0 && orphans.has(what))
      const isValid = (one: (typeof wanted)[number]) => one.group.rules[0]?.expr !== "invalid"
      const winner = isFree
        ? undefined
        : wanted.find((one) => isValid(one) || (stored !== undefined && owning.includes(one.owner)))
      for (const one of wanted) if (one !== winner || !isValid(one)) hampered.add(one.owner)
      if (isFree) {
        if (owning.length > 0) faults.push(`${what} is foreign and owned by ${owning.join()}`)
      } else if (winner === undefined) {
        const isKept = owning.some((owner) => keeps(world, owner))
        if (stored !== undefined && !isKept) faults.push(`${what} is there and not wanted`)
        if (owning.length > 0 && !isKept) faults.push(`${what} is not wanted and owned by ${owning.join()}`)
      } else {
        const expr = stored?.group.rules[0]?.expr
        if (isValid(winner) && expr !== winner.group.rules[0]?.expr)
          faults.push(`${what} is ${expr}, ${winner.owner} wants ${winner.group.rules[0]?.expr}`)
        if (owning.join() !== winner.owner) faults.push(`${what} is ${winner.owner}'s and owned by ${owning.join()}`)
      }
    }
  }
  for (const [key, { metadata, status }] of world.resources) {
    if (metadata.deletionTimestamp !== undefined) faults.push(`${key} is not released`)
    const synced = status?.conditions?.find(({ type }) => type === "Synced")
    const isSynced = synced?.status === "True" && status?.observedGeneration === metadata.generation
    if (!hampered.has(key) && !keeps(world, key) && !isSynced)
      faults.push(`${key} is in sync and reported as ${JSON.stringify(synced)} ${JSON.stringify(status?.tenants)}`)
  }
  return faults
}

/** What this resource wrote and no longer wants stays. */
function keeps(world: World, owner: string): boolean {
  const resource = world.resources.get(owner)
  const groups = (resource?.spec?.groups ?? []) as readonly { readonly name: unknown }[]
  return resource?.metadata.annotations?.[DIRECTION] === "off" || groups.some(({ name }) => typeof name !== "string")
}

function ownersOf(world: World, tenant: string): ReadonlyMap<string, readonly string[]> {
  const owned = [...world.resources].flatMap(([owner, one]) => ownedBy(one, tenant).map((key) => [key, owner] as const))
  return new Map([...Map.groupBy(owned, ([key]) => key)].map(([key, all]) => [key, all.map(([, owner]) => owner)]))
}
