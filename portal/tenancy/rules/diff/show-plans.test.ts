import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import { type ShownPlan, showCounts, showPlans } from "./show-plans.ts"

const OWNER = "ns/rules"
const group = (name: string, ...exprs: readonly string[]): RuleGroup => ({
  name,
  interval: "1m30s",
  rules: exprs.map((expr, index) => ({ record: `r${index}`, expr })),
})
const owned = (namespace: string, name: string) => ({
  key: addressKey({ namespace, name }),
  address: { namespace, name },
  owner: OWNER,
})
const write = (name: string, before: RuleGroup | undefined, after: RuleGroup) => ({
  ...owned("ns", name),
  ...{ since: "", before, group: after },
})

function plan(tenant: string, parts: Partial<ShownPlan>): ShownPlan {
  const nothing = { creates: [], updates: [], deletes: [], adoptions: [], notDone: [] }
  return { ruler: "eu", tenant: tenant as TenantId, ...nothing, ...parts }
}

test("shows what is created, updated and deleted, once for all tenants for which it is the same", () => {
  const before = group("u", "1", "2", "3", "4", "5", "up")
  const after: RuleGroup = { ...group("u", "1", "2", "3", "4", "5", "sum by(a) (up)"), interval: "90s", limit: 3 }
  const parts: Partial<ShownPlan> = {
    creates: [write("c", undefined, group("c", "up"))],
    updates: [write("u", before, after)],
  }
  const deleted = { ...owned("ns", "d"), owners: [OWNER], before: group("d", "up") }
  const held = { ...owned("ns", "h"), reason: "ExistingGroup" as const, message: "another one stands there" }
  const plans = [
    ...["e", "d", "c", "b", "a"].map((tenant) => plan(tenant, parts)),
    plan("f", { deletes: [deleted], adoptions: [{ ...owned("ns", "a b\u202e"), group: group("a", "1") }] }),
    plan("g", { notDone: [held] }),
  ]
  const { text, counts } = showPlans(plans, false, 5)
  assert.equal(
    text,
    `ruler eu, tenants a, b, c and 2 more

create ns/c, by ns/rules
+name: c
+interval: 1m30s
+rules:
+  - record: r0
+    expr: up

update ns/u, by ns/rules
@@ -1,5 +1,6 @@
 name: u
 interval: 1m30s
+limit: 3
 rules:
   - record: r0
     expr: "1"
@@ -12,4 +13,4 @@
   - record: r4
     expr: "5"
   - record: r5
-    expr: up
+    expr: sum by(a) (up)

ruler eu, tenant f

delete ns/d, by ns/rules: after 5s, unless a resource claims it
-name: d
-interval: 1m30s
-rules:
-  - record: r0
-    expr: up

adopt ns/"a b\\u{202e}", by ns/rules: stands there as it is wanted

ruler eu, tenant g

not done ns/h, by ns/rules: another one stands there
`,
  )
  assert.equal(showCounts(counts, 0), "groups: 5 to create, 5 to update, 1 to delete, 1 to adopt, 1 not possible")
})

test("shows nothing where nothing changes", () => {
  const { text, counts } = showPlans([plan("a", {})], true, 0)
  assert.deepEqual([text, showCounts(counts, 2)], ["", "nothing to do; resources with invalid groups: 2"])
})

test("shows the same change at two rulers for each of them", () => {
  const creates = [write("c", undefined, group("c", "up"))]
  const { text } = showPlans([plan("a", { creates }), { ...plan("a", { creates }), ruler: "us" }], false, 0)
  assert.deepEqual(text.match(/^(?:ruler|create) .*/gm), [
    ...["ruler eu, tenant a", "create ns/c, by ns/rules", "ruler us, tenant a", "create ns/c, by ns/rules"],
  ])
})

test("a text of a rule cannot command a terminal", () => {
  const rules = [{ alert: "A", expr: "up", annotations: { a: "\u001b[2J\u202ex", b: "1\n\u009b2\u200b" } }]
  const { text } = showPlans([plan("a", { creates: [write("c", undefined, { name: "c", rules })] })], false, 0)
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
})

test("colours what is added and removed, for a terminal", () => {
  const { text } = showPlans([plan("a", { updates: [write("u", group("u", "1"), group("u", "2"))] })], true, 0)
  assert.ok(text.includes(`\u001b[31m-    expr: "1"\u001b[39m\n\u001b[32m+    expr: "2"\u001b[39m`))
})
