import assert from "node:assert/strict"
import { test } from "node:test"
import type { ReportedStatus, RuleStatus } from "./status.ts"
import { statusPatch } from "./status-patch.ts"

const [THEN, NOW] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
const condition = (status: "True" | "False", reason = "Synced", message = "all") => ({
  ...{ type: "Synced" as const, status, reason, message },
})
const reported: ReportedStatus = { observedGeneration: 2, conditions: [condition("True")] }
const stored: RuleStatus = { observedGeneration: 2, conditions: [{ ...condition("True"), lastTransitionTime: THEN }] }

test("changes nothing where all is as reported, whatever is owned", () => {
  assert.equal(statusPatch({ ...stored, owned: [] }, reported, NOW), undefined)
})

test("dates a condition when its status changes, not when its reason or message does", () => {
  assert.deepEqual(statusPatch(stored, { ...reported, conditions: [condition("False", "Refused")] }, NOW), {
    patch: { conditions: [{ ...condition("False", "Refused"), lastTransitionTime: NOW }] },
    changed: [{ ...condition("False", "Refused"), lastTransitionTime: NOW }],
  })
  assert.deepEqual(statusPatch(stored, { ...reported, conditions: [condition("True", "Other", "else")] }, NOW), {
    patch: { conditions: [{ ...condition("True", "Other", "else"), lastTransitionTime: THEN }] },
    changed: [{ ...condition("True", "Other", "else"), lastTransitionTime: THEN }],
  })
  const another = statusPatch(stored, { ...reported, conditions: [condition("True", "Synced", "else")] }, NOW)
  assert.deepEqual(another?.changed, [])
})

test("removes what is no longer reported, and the original's field that never meant anything", () => {
  const before = { ...stored, ruler_updated: true, tenantsNotShown: 3, problems: [], tenants: [] }
  assert.deepEqual(statusPatch(before, reported, NOW)?.patch, {
    ...{ tenants: null, tenantsNotShown: null, problems: null, ruler_updated: null },
  })
})

test("begins anew where the conditions that are stored are none", () => {
  for (const conditions of [undefined, "broken", [null], [{ type: "Synced", status: "True" }]])
    assert.deepEqual(
      statusPatch({ conditions } as unknown as RuleStatus, { conditions: [condition("True")] }, NOW)?.patch,
      { conditions: [{ ...condition("True"), lastTransitionTime: NOW }] },
    )
})
