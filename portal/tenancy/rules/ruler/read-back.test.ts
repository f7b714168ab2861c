import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { randomGroup } from "../check/random-groups.testing.ts"
import { sameGroup } from "../model/same-group.ts"
import { targetOf } from "../validation/targets.ts"
import { validateGroup } from "../validation/validate-group.ts"
import { RULER_TYPES } from "./paths.ts"
import { startFakeRuler } from "./ruler.testing.ts"
import { TARGETS } from "./settings.ts"
import { openTestRuler } from "./testing.ts"

const TENANT = "team-a" as TenantId
const NEVER = new AbortController().signal
const GROUPS = 300

// what a ruler drops of it would be written again in each cycle
for (const type of RULER_TYPES)
  test(`what is valid for a ${type} is the same when it is read back`, async (t) => {
    const fake = await startFakeRuler(t, { type })
    const ruler = await openTestRuler(t, fake.url, { type })
    const target = targetOf(TARGETS[type])
    const random = seeded(seedOf(t))
    const different: unknown[] = []
    let written = 0
    for (let index = 0; index < GROUPS; index++) {
      const { group } = validateGroup(
        {
          ...(randomGroup(random) as object),
          ...(random.chance(0.3) && { source_tenants: ["b", "a"], evaluation_delay: random.pick(["0s", "1m"]) }),
          ...(random.chance(0.3) && { align_evaluation_time_on_interval: random.chance(0.5) }),
        },
        target,
      )
      if (group === undefined) continue
      written += 1
      await ruler.set(TENANT, "ns", group, NEVER)
      const kept = await ruler.get(TENANT, { namespace: "ns", name: group.name }, NEVER)
      if (kept === undefined || !sameGroup(kept, group)) different.push({ group, kept })
    }
    t.diagnostic(`${written} of ${GROUPS} groups were written`)
    assert.ok(written > GROUPS / 10)
    assert.deepEqual(different, [])
  })
