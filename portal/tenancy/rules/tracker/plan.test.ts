import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleGroup } from "../model/group.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import { MIRRORED, originAnnotation, originKey } from "./origin.ts"
import { planTenant, type PlanInput } from "./plan.ts"
import { resourceNames } from "./resource-names.ts"

const RED = "red" as TenantId
const GROUP: RuleGroup = { name: "g", rules: [{ record: "a", expr: "up" }] }
const OTHER: RuleGroup = { name: "g", rules: [{ record: "a", expr: "down" }] }
const ORIGIN = { tenant: RED, namespace: "x", group: "g" }
const KEY = originKey(ORIGIN)
const [NAME = "", SECOND = ""] = resourceNames(RED, "g")

const found = (group: RuleGroup, origin = ORIGIN) => new Map([[originKey(origin), { ruler: "cortex", origin, group }]])

/** A mirror of the group, as the tracker wrote it. */
const mirror = (spec: object = { tenants: ["red"], groups: [GROUP] }, generation = 1): RuleResource => ({
  metadata: {
    name: NAME,
    namespace: "x",
    generation,
    annotations: { ...originAnnotation(ORIGIN), [DIRECTION]: "ruler", [MIRRORED]: "1" },
  },
  spec,
})

/** What is planned, in words: `create x/red-…`, `edited x/red-…`. */
function plan(given: Partial<PlanInput>): readonly string[] {
  const { mirrors = [] } = given
  const { creates, updates, deletes, releases, skipped } = planTenant({
    tenant: RED,
    present: new Map(),
    notWhole: undefined,
    resources: new Map(mirrors.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one])),
    mirrors,
    isClaimed: () => false,
    wasImported: () => false,
    whyNot: () => undefined,
    namespaceOf: (namespace) => (/^[a-z]+$/.test(namespace) ? namespace : undefined),
    modeIn: () => "mirror",
    ...given,
  })
  return [
    ...creates.map(({ mode, namespace, name }) => `${mode} ${namespace}/${name}`),
    ...updates.map(({ mirror: { metadata } }) => `update ${metadata.name}`),
    ...deletes.map(({ metadata }) => `delete ${metadata.name}`),
    ...releases.map(({ metadata }) => `release ${metadata.name}`),
    ...skipped.map(({ reason, subject }) => `skip, ${reason}: ${subject}`),
  ]
}

const cases: Readonly<Record<string, readonly [given: Partial<PlanInput>, planned: readonly string[]]>> = {
  "a new group becomes a mirror": [{ present: found(GROUP) }, [`mirror x/${NAME}`]],
  "or a source": [{ present: found(GROUP), modeIn: () => "import" }, [`import x/${NAME}`]],
  "or nothing": [{ present: found(GROUP), modeIn: () => "off" }, []],
  "one that a resource has becomes nothing": [{ present: found(GROUP), isClaimed: (key) => key === KEY }, []],
  "one that was imported does not come back": [
    { present: found(GROUP), wasImported: () => true, modeIn: () => "import" },
    [],
  ],
  "and is mirrored all the same": [{ present: found(GROUP), wasImported: () => true }, [`mirror x/${NAME}`]],
  "a namespace that Kubernetes cannot have is reported": [
    { present: found(GROUP, { ...ORIGIN, namespace: "A B" }) },
    ['skip, namespace: group "g" in "A B"'],
  ],
  "but not where nothing is done of any namespace": [
    {
      present: found(GROUP, { ...ORIGIN, namespace: "A B" }),
      modeIn: (namespace) => (namespace === "" ? "off" : "mirror"),
    },
    [],
  ],
  "a namespace in which nothing may be written is reported": [
    { present: found(GROUP), whyNot: () => "closed" },
    ['skip, namespace: group "g" in "x"'],
  ],
  "where a resource of somebody has the name, another is taken": [
    { present: found(GROUP), resources: new Map([[`x/${NAME}`, mirror()]]) },
    [`mirror x/${SECOND}`],
  ],
  "and none where both are": [
    { present: found(GROUP), resources: new Map([NAME, SECOND].map((name) => [`x/${name}`, mirror()])) },
    ['skip, name: group "g" in "x"'],
  ],
  "a mirror of the same group stays as it is": [{ present: found(GROUP), mirrors: [mirror()] }, []],
  "one of a group that has changed follows": [{ present: found(OTHER), mirrors: [mirror()] }, [`update ${NAME}`]],
  "one that a user has changed does not": [
    { present: found(OTHER), mirrors: [mirror(undefined, 2)] },
    [`skip, edited: x/${NAME}`],
  ],
  "unless the change has made it the same": [
    { present: found(OTHER), mirrors: [mirror({ tenants: ["red"], groups: [OTHER] }, 2)] },
    [],
  ],
  "one with another tenant too is not the same": [
    { present: found(GROUP), mirrors: [mirror({ tenants: ["red", "blue"], groups: [GROUP] })] },
    [`update ${NAME}`],
  ],
  "nor one of another tenant": [
    { present: found(GROUP), mirrors: [mirror({ tenants: ["blue"], groups: [GROUP] })] },
    [`update ${NAME}`],
  ],
  "nor one with another group too": [
    { present: found(GROUP), mirrors: [mirror({ tenants: ["red"], groups: [GROUP, OTHER] })] },
    [`update ${NAME}`],
  ],
  "nor one without groups": [{ present: found(GROUP), mirrors: [mirror({ tenants: ["red"] })] }, [`update ${NAME}`]],
  "a mirror becomes the source where its group is the same, although a user wrote it": [
    { present: found(GROUP), mirrors: [mirror(undefined, 2)], modeIn: () => "import" },
    [`release ${NAME}`],
  ],
  "or nobody has changed it, although its group has changed": [
    { present: found(OTHER), mirrors: [mirror()], modeIn: () => "import" },
    [`release ${NAME}`],
  ],
  "but not where both have": [
    { present: found(OTHER), mirrors: [mirror(undefined, 2)], modeIn: () => "import" },
    [`skip, edited: x/${NAME}`],
  ],
  "a mirror goes with its group": [{ mirrors: [mirror()] }, [`delete ${NAME}`]],
  "but not where a user has changed it": [{ mirrors: [mirror(undefined, 2)] }, [`skip, edited: x/${NAME}`]],
  "nor where its group may be there": [{ mirrors: [mirror()], notWhole: "no response" }, [`skip, deletion: x/${NAME}`]],
  "nor in a namespace in which nothing may be written": [{ mirrors: [mirror()], whyNot: () => "closed" }, []],
  "nor where nothing is mirrored any more": [{ mirrors: [mirror()], modeIn: () => "import" }, []],
  "a mirror goes where a resource has its group, however much of the rulers is known": [
    { present: found(GROUP), mirrors: [mirror()], isClaimed: (key) => key === KEY, notWhole: "no response" },
    [`delete ${NAME}`],
  ],
}
for (const [what, [given, planned]] of Object.entries(cases)) test(what, () => assert.deepEqual(plan(given), planned))

test("makes no resource of a group that the webhook would refuse for its size", () => {
  const sized = (bytes: number): RuleGroup => {
    const group = (expr: string): RuleGroup => ({ name: "g", rules: [{ record: "a", expr }] })
    return group("x".repeat(bytes - Buffer.byteLength(JSON.stringify([group("")]))))
  }
  assert.deepEqual(plan({ present: found(sized(512 * 1024)) }), [`mirror x/${NAME}`])
  assert.deepEqual(plan({ present: found(sized(512 * 1024 + 1)) }), ['skip, size: group "g" in "x"'])
})
