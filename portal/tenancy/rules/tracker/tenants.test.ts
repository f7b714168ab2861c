import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { DIRECTION } from "../resources/rule-resource.ts"
import { World } from "../updater/world.testing.ts"
import { originAnnotation, originKey } from "./origin.ts"
import { resourceNames } from "./resource-names.ts"
import { trackedTenants } from "./tenants.ts"
import { directions } from "./testing.ts"

const id = (name: string): TenantId => name as TenantId

/** Who is tracked where each tenant is called as the place that names it. */
async function tracked(...texts: readonly string[]) {
  const world = new World(["one", "away"])
  const group = { tenant: id("mirrored"), namespace: "x", group: "g" }
  const name = resourceNames(group.tenant, "g")[0] ?? ""
  world.apply("x", name, { tenants: [], groups: [] }, { ...originAnnotation(group), [DIRECTION]: "ruler" })
  const owned = { tenant: id("owning"), namespace: "x", group: "g" }
  const failed: string[] = []
  const found = await trackedTenants(
    {
      directions: directions(...texts),
      rulers: [
        { ...world.ruler("away"), tenants: () => Promise.reject(new Error("down")) },
        { ...world.ruler("one"), tenants: () => Promise.resolve(new Set([id("listed")])) },
        { ...world.ruler("one"), tenants: () => Promise.resolve(undefined) },
      ],
      source: world.source(),
      namespaceOf: (namespace) => namespace,
      claimed: {
        groups: new Map([[originKey(owned), owned]]),
        unclear: new Map(),
        tenants: new Set([id("wanting")]),
      },
      known: [id("known")],
      failed: (what) => failed.push(what),
    },
    new AbortController().signal,
  )
  return { tenants: [...found].toSorted(), failed }
}

test("tenants are those that settings, resources, earlier cycles and the rulers that can be read name", async () => {
  assert.deepEqual(await tracked("tenant=named:import", "*:mirror"), {
    tenants: ["known", "listed", "mirrored", "named", "owning", "wanting"],
    failed: ["tenants of away"],
  })
})

test("rulers are not requested where the settings name each tenant, and nobody else is tracked", async () => {
  assert.deepEqual(await tracked("tenant=named:import", "*:off"), { tenants: ["named"], failed: [] })
  assert.deepEqual(await tracked("tenant=named:off", "tenant=known,namespace=x:mirror"), {
    tenants: ["known"],
    failed: [],
  })
})
