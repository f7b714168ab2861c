import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import type { Claim } from "./claims.ts"
import { type Plan, planOf, type PlanInput } from "./plan.ts"
import { groupOf } from "./world.testing.ts"

const NAME = "g"
const address = { namespace: "ns", name: NAME }
const key = addressKey(address)
const claim = (owner: string, since: number, group: RuleGroup | undefined, name = NAME): Claim => {
  const at = { namespace: "ns", name }
  return { owner, since: String(since), address: at, key: addressKey(at), group }
}
const one = groupOf(NAME, "1")
const two = groupOf(NAME, "2")

interface Case {
  readonly claims?: readonly Claim[]
  readonly owners?: readonly string[]
  readonly present?: readonly RuleGroup[]
  readonly options?: Partial<PlanInput>
}

/** The parts of a plan that are not empty, in few words. */
function planned({ claims = [], owners = [], present = [], options = {} }: Case): Readonly<Record<string, unknown>> {
  const all = Map.groupBy(claims, (each) => each.key)
  const plan: Plan = planOf({
    ...{ ruler: "cortex", tenant: "red" as TenantId, scope: undefined, adoptExisting: false, keep: () => undefined },
    wait: () => undefined,
    limits: { groups: undefined, rulesPerGroup: undefined },
    desired: new Map([...all].map(([each, [first, ...others]]) => [each, [first as Claim, ...others]])),
    owned: owners.length === 0 ? new Map() : new Map([[key, { address, owners: new Set(owners) }]]),
    present: new Map([["ns", new Map(present.map((group) => [group.name, group]))]]),
    ...options,
  })
  const show = {
    creates: plan.creates.map(({ owner, address: { name } }) => `${name} of ${owner}`),
    updates: plan.updates.map(({ owner, before, group }) => `${owner} ${expr(before)}→${expr(group)}`),
    adoptions: plan.adoptions.map(({ owner }) => owner),
    deletes: plan.deletes.map(({ owners: whose }) => whose.join()),
    notDone: plan.notDone.map(({ owner, reason, address: { name } }) => `${owner} ${name} ${reason}`),
    gone: plan.gone.map(({ owner }) => owner),
    unchanged: plan.unchanged.map(({ owner }) => owner),
  }
  return Object.fromEntries(Object.entries(show).filter(([, items]) => items.length > 0))
}
const expr = (group: RuleGroup | undefined) => group?.rules[0]?.expr

const cases: Readonly<Record<string, readonly [Case, Readonly<Record<string, readonly string[]>>]>> = {
  "creates what is missing": [{ claims: [claim("a", 1, one)] }, { creates: ["g of a"] }],
  "repairs what it owns and is missing": [{ claims: [claim("a", 1, one)], owners: ["a"] }, { creates: ["g of a"] }],
  "leaves what is as desired": [{ claims: [claim("a", 1, one)], owners: ["a"], present: [one] }, { unchanged: ["a"] }],
  "leaves what means the same": [
    {
      claims: [claim("a", 1, { name: NAME, interval: "60s", rules: [{ record: "r", expr: "sum(x)by(a)" }] })],
      owners: ["a"],
      present: [{ name: NAME, interval: "1m", rules: [{ record: "r", expr: "sum by (a) (x)" }] }],
    },
    { unchanged: ["a"] },
  ],
  "updates what it owns": [{ claims: [claim("a", 1, two)], owners: ["a"], present: [one] }, { updates: ["a 1→2"] }],
  "adopts an equal group": [{ claims: [claim("a", 1, one)], present: [one] }, { adoptions: ["a"] }],
  "leaves another's group": [{ claims: [claim("a", 1, two)], present: [one] }, { notDone: ["a g ExistingGroup"] }],
  "overwrites another's group where that was chosen": [
    { claims: [claim("a", 1, two)], present: [one], options: { adoptExisting: true } },
    { updates: ["a 1→2"] },
  ],
  "updates a group that the original informer wrote without the fields it did not know": [
    { claims: [claim("a", 1, { ...one, limit: 5, labels: { team: "x" } })], present: [one] },
    { updates: ["a 1→1"] },
  ],
  "gives an address to the oldest": [
    { claims: [claim("a", 1, one), claim("b", 2, two)], owners: ["b"], present: [two] },
    { updates: ["a 2→1"], notDone: ["b g AnotherResourceHasIt"], gone: ["b"] },
  ],
  "moves a group from one resource to another without writing it": [
    { claims: [claim("b", 2, one)], owners: ["a"], present: [one] },
    { adoptions: ["b"], gone: ["a"] },
  ],
  "keeps the last good state of what is invalid now": [
    { claims: [claim("a", 1, undefined)], owners: ["a"], present: [one] },
    { unchanged: ["a"] },
  ],
  "deletes what another resource wrote where the claim is invalid": [
    { claims: [claim("b", 1, undefined)], owners: ["a"], present: [one] },
    { deletes: ["a"] },
  ],
  "lets a valid claim pass an older one that is invalid and was never written": [
    { claims: [claim("a", 1, undefined), claim("b", 2, two)], owners: ["b"], present: [two] },
    { unchanged: ["b"] },
  ],
  "does not let a valid claim pass an older one that was written before": [
    { claims: [claim("a", 1, undefined), claim("b", 2, two)], owners: ["a"], present: [one] },
    { unchanged: ["a"], notDone: ["b g AnotherResourceHasIt"] },
  ],
  "lets a valid claim pass an older one that is invalid and missing at the ruler": [
    { claims: [claim("a", 1, undefined), claim("b", 2, two)], owners: ["a"] },
    { creates: ["g of b"], gone: ["a"] },
  ],
  "takes what is invalid now from others that own it too": [
    { claims: [claim("a", 1, undefined)], owners: ["a", "b"], present: [one] },
    { unchanged: ["a"], gone: ["b"] },
  ],
  "deletes what nobody wants any more": [{ owners: ["a"], present: [one] }, { deletes: ["a"] }],
  "forgets what nobody wants and is not there": [{ owners: ["a"] }, { gone: ["a"] }],
  "leaves foreign groups": [{ present: [one] }, {}],
  "keeps what must not be deleted": [
    { owners: ["a"], present: [one], options: { keep: () => "why" } },
    { notDone: ["a g DeletionHeldBack"] },
  ],
  "lets a deleted resource go where another one keeps the group": [
    { owners: ["a", "b"], present: [one], options: { keep: (owner) => (owner === "b" ? "why" : undefined) } },
    { notDone: ["b g DeletionHeldBack"], gone: ["a"] },
  ],
  "leaves out the youngest groups beyond the limit, foreign ones counted": [
    {
      claims: [claim("c", 3, one, "z"), claim("a", 1, one, "x"), claim("b", 2, one, "y")],
      present: [one],
      options: { limits: { groups: 3, rulesPerGroup: undefined } },
    },
    { creates: ["x of a", "y of b"], notDone: ["c z TooManyGroups"], gone: ["c"] },
  ],
  "does not write groups of too many rules": [
    { claims: [claim("a", 1, one)], options: { limits: { groups: undefined, rulesPerGroup: 0 } } },
    { notDone: ["a g TooManyRules"] },
  ],
  "writes groups of as many rules as are taken": [
    { claims: [claim("a", 1, one)], options: { limits: { groups: undefined, rulesPerGroup: 1 } } },
    { creates: ["g of a"] },
  ],
  "looks at nothing but its scope": [
    { claims: [claim("a", 1, one), claim("a", 1, one, "h")], options: { scope: new Set([key]) } },
    { creates: ["g of a"] },
  ],
}
for (const [name, [input, expected]] of Object.entries(cases))
  test(`a plan ${name}`, () => assert.deepEqual(planned(input), expected))
