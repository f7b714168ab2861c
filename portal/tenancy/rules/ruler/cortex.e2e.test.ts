import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../../dev/testing/cortex.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleGroup } from "../model/group.ts"
import { randomGroup, randomName } from "../model/random-group.testing.ts"
import { sameGroup } from "../model/same-group.ts"
import { openTestRuler } from "./testing.ts"

const NEVER = new AbortController().signal

suite("a real Cortex", { concurrency: true }, () => {
  test("holds random groups so that each is the same when it is read back, alone and in the list", async (t) => {
    const cortex = need(t, findCortex())
    if (cortex === undefined) return
    const { url } = await startCortex(t, cortex)
    const ruler = await openTestRuler(t, new URL(url))
    const random = seeded(seedOf(t))
    const different: unknown[] = []
    for (const tenant of ["team-a", "team-b"] as TenantId[]) {
      const written = new Map<string, Map<string, RuleGroup>>()
      for (let index = 0; index < 150; index++) {
        const namespace = random.chance(0.7) ? `ns${random.below(3)}` : randomName(random, "_")
        const group = randomGroup(random, randomName(random, String(index)))
        try {
          await ruler.set(tenant, namespace, group, NEVER)
        } catch (error) {
          different.push({ group, error: String(error) })
          continue
        }
        written.set(namespace, (written.get(namespace) ?? new Map<string, RuleGroup>()).set(group.name, group))
        const alone = await ruler.get(tenant, { namespace, name: group.name }, NEVER)
        if (alone === undefined || !sameGroup(alone, group)) different.push({ group, alone })
      }
      const listed = await ruler.list(tenant, NEVER)
      assert.deepEqual([...listed.keys()].toSorted(), [...written.keys()].toSorted())
      for (const [namespace, groups] of written) {
        const held = listed.get(namespace)
        assert.deepEqual([...(held?.keys() ?? [])].toSorted(), [...groups.keys()].toSorted())
        for (const [name, group] of groups) {
          const one = held?.get(name)
          if (one === undefined || !sameGroup(one, group)) different.push({ group, listed: one })
        }
      }
    }
    assert.deepEqual(different, [])
  })
})
