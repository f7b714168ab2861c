import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import { parseNamespaceTemplate } from "../updater/namespace-template.ts"
import { groupOf, World } from "../updater/world.testing.ts"
import { claimedBy } from "./claimed.ts"
import { isUntouched, MIRRORED, mirrorsByTenant, originAnnotation } from "./origin.ts"
import { readGroups } from "./read-groups.ts"
import { resourceNames } from "./resource-names.ts"

const RED = "red" as TenantId

function claimedIn(resources: readonly RuleResource[], incomplete: ReadonlyMap<string, string> = new Map()) {
  const template = parseNamespaceTemplate("fed/{namespace}")
  if (template instanceof Wrong) throw new Error(template.reason)
  const byKey = new Map(resources.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one]))
  const { groups, unclear, tenants } = claimedBy({ resources: byKey, incomplete }, template)
  return { groups: [...groups.keys()], unclear: [...unclear], tenants: [...tenants] }
}

const resource = (spec: object, rest: object = {}, status?: RuleResource["status"]): RuleResource => ({
  metadata: { namespace: "x", name: "a", uid: "u", ...rest },
  spec,
  ...(status === undefined ? {} : { status }),
})

test("a resource claims its groups for its tenants where the template has them, and what it wrote", () => {
  const owned = [{ ruler: "cortex", namespace: "old", group: "b", tenants: ["blue"] }]
  assert.deepEqual(
    claimedIn([resource({ tenants: ["red"], groups: [groupOf("g", "up"), null, { name: 1 }] }, {}, { owned })]),
    { groups: ['["blue","old","b"]', '["red","fed/x","g"]'], unclear: [], tenants: ["red"] },
  )
})

test("a mirror claims nothing but what it wrote, and its tenants are known", () => {
  const spec = { tenants: ["red"], groups: [groupOf("g", "up")] }
  assert.deepEqual(claimedIn([resource(spec, { annotations: { [DIRECTION]: "ruler" } })]), {
    groups: [],
    unclear: [],
    tenants: ["red"],
  })
})

test("of a resource whose tenants or groups cannot be read it is not known what it claims", () => {
  const why = "it cannot be read which groups the resource x/a has"
  for (const spec of [
    { tenants: "red", groups: [] },
    { tenants: ["red"], groups: {} },
  ])
    assert.deepEqual(claimedIn([resource(spec)], new Map([["y", "403"]])).unclear, [
      ["y", "403"],
      ["x", why],
    ])
})

const origin = { tenant: RED, namespace: "x", group: "g" }
const NAME = resourceNames(RED, "g")[0] ?? ""
const mirror = (rest: object, annotations: object = {}): RuleResource => ({
  metadata: {
    ...{ namespace: "x", name: NAME, generation: 3 },
    ...rest,
    annotations: { ...originAnnotation(origin), [DIRECTION]: "ruler", [MIRRORED]: "3", ...annotations },
  },
})

test("mirrors are those under the name and in the namespace of their group alone", () => {
  const mirrorsOf = (one: RuleResource) => mirrorsByTenant([one], (namespace) => namespace).get(RED)?.length ?? 0
  assert.equal(mirrorsOf(mirror({})), 1)
  assert.equal(mirrorsOf(mirror({ name: resourceNames(RED, "g")[1] })), 1)
  for (const rest of [{ name: "copy" }, { namespace: "y" }]) assert.equal(mirrorsOf(mirror(rest)), 0)
  for (const annotations of [
    { [DIRECTION]: "kubernetes" },
    ...["", "{", "[]", "{}", '{"tenant":"red","namespace":"x","group":1}'].map((text) => ({
      "fedstack.dev/origin": text,
    })),
  ])
    assert.equal(mirrorsOf(mirror({}, annotations)), 0, JSON.stringify(annotations))
})

test("a mirror is untouched in the generation that the tracker wrote", () => {
  assert.equal(isUntouched(mirror({})), true)
  assert.equal(isUntouched(mirror({ generation: 4 })), false)
  assert.equal(isUntouched(mirror({ generation: undefined }, { [MIRRORED]: "undefined" })), false)
})

test("of several rulers the first has a group, and of each the rules are counted", async () => {
  const world = new World(["one", "two"])
  const key = addressKey({ namespace: "x", name: "g" })
  const rules = [
    { record: "a", expr: "1" },
    { record: "b", expr: "2" },
  ]
  world.at("one", "red").set(key, { group: { name: "g", rules }, isForeign: true })
  world.at("two", "red").set(key, { group: groupOf("g", "2"), isForeign: true })
  const { present, notWhole, count } = await readGroups(
    ["one", "two"].map((name) => world.ruler(name)),
    RED,
    assert.fail,
    new AbortController().signal,
  )
  assert.deepEqual([...present.values()], [{ ruler: "one", origin, group: { name: "g", rules } }])
  assert.deepEqual([notWhole, count], [undefined, 3])
})
