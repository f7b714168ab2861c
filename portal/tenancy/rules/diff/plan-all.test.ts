import assert from "node:assert/strict"
import { test } from "node:test"
import { keyOf } from "#core/kubernetes/resource.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import { startFakeRuler } from "../ruler/ruler.testing.ts"
import { openTestRuler } from "../ruler/testing.ts"
import { targetOf } from "../validation/targets.ts"
import { planAll } from "./plan-all.ts"

const RESOURCE: RuleResource = {
  metadata: { namespace: "ns", name: "a" },
  spec: { tenants: ["red"], groups: [{ name: "kept", rules: [{ record: "a", expr: "up" }] }] },
  status: {
    owned: ["ruler", "former"].map((ruler) => ({ ruler, namespace: "ns", group: "dropped", tenants: ["red"] })),
  },
}

test("plans deletions of what a resource wrote and dropped, unless none are made, and nothing at unknown rulers", async (t) => {
  const fake = await startFakeRuler(t)
  for (const name of ["kept", "dropped", "foreign"])
    fake.put("red", "ns", { name, rules: [{ record: "a", expr: "up" }] })
  const ruler = await openTestRuler(t, fake.url)
  const plan = async (removes: boolean) => {
    const { plans, failures } = await planAll(
      {
        snapshot: { resources: new Map([[keyOf(RESOURCE), RESOURCE]]), incomplete: new Map() },
        rulers: [{ ruler, target: targetOf("cortex-1.21"), serves: () => true }],
        ...{ template: ({ namespace }) => namespace, adoptExisting: false, removes },
      },
      new AbortController().signal,
    )
    assert.deepEqual(failures, [])
    return plans.map(({ ruler: at, deletes, notDone }) => [
      at,
      deletes.map(({ address }) => address.name),
      notDone.map(({ address, reason }) => `${address.name} ${reason}`),
    ])
  }
  assert.deepEqual(await plan(true), [["ruler", ["dropped"], []]])
  assert.deepEqual(await plan(false), [["ruler", [], ["dropped DeletionHeldBack"]]])
})
