import assert from "node:assert/strict"
import { test } from "node:test"
import { parseTenant } from "../tenants/parse-tenant.ts"
import type { TenantId } from "../tenants/tenant.ts"
import { whyNotReady } from "./readiness.ts"

const WHOLE = { resources: new Map(), incomplete: new Map<string, string>() }
const lease = (isHeld: boolean, holder = "first", problem?: string) => ({
  ...{ isHeld: () => isHeld, holder: () => holder, problem: () => problem },
})
const updater = (isComplete: boolean, ...faults: readonly string[]) => ({
  isComplete,
  failing: faults.map((fault) => ({ ruler: "cortex", tenant: parseTenant("red") as TenantId, fault })),
})
const missing = (namespace: string) => ({ ...WHOLE, incomplete: new Map([[namespace, "list: refused (403)"]]) })

type State = Parameters<typeof whyNotReady>[0]
const CASES: readonly (readonly [string, Omit<State, "unwritable"> & Partial<State>, string | undefined])[] = [
  [
    "an active replica that has compared all",
    { snapshot: WHOLE, lease: lease(true), updater: updater(true) },
    undefined,
  ],
  ["a passive one", { snapshot: WHOLE, lease: lease(false), updater: undefined }, undefined],
  ["an active one without the updater", { snapshot: WHOLE, lease: lease(true), updater: undefined }, undefined],
  [
    "an active one of which a tenant fails after all were compared",
    { snapshot: WHOLE, lease: lease(true), updater: updater(true, "unreachable") },
    undefined,
  ],
  [
    "a namespace that cannot be read",
    { snapshot: missing("one"), lease: lease(true), updater: updater(true) },
    "The resources of the namespace one are not known: list: refused (403).",
  ],
  [
    "all namespaces, which cannot be read",
    { snapshot: missing(""), lease: lease(false), updater: undefined },
    "The resources of all namespaces are not known: list: refused (403).",
  ],
  [
    "a Lease that cannot be read",
    { snapshot: WHOLE, lease: lease(false, "", "get leases: refused (403)"), updater: undefined },
    "The Lease cannot be held: get leases: refused (403).",
  ],
  [
    "a Lease that nobody holds",
    { snapshot: WHOLE, lease: lease(false, ""), updater: undefined },
    "No replica holds the Lease yet.",
  ],
  [
    "a ruler that was not read yet",
    { snapshot: WHOLE, lease: lease(true), updater: updater(false) },
    "Not all tenants have been compared with their rulers yet.",
  ],
  [
    "a ruler that cannot be read",
    { snapshot: WHOLE, lease: lease(true), updater: updater(false, "ECONNREFUSED") },
    "The rules of red at cortex are not known: ECONNREFUSED.",
  ],
  [
    "an active one under an old CRD",
    { snapshot: WHOLE, lease: lease(true), updater: updater(true), unwritable: "the CRD has no status subresource" },
    "No group is written: the CRD has no status subresource.",
  ],
]

for (const [what, state, reason] of CASES)
  test(`${what} is ${reason === undefined ? "" : "not "}ready`, () => {
    assert.equal(whyNotReady({ unwritable: undefined, ...state }), reason)
  })
