import assert from "node:assert/strict"
import { test } from "node:test"
import { samplesAs } from "../render.testing.ts"

interface Reference {
  readonly name?: string
  readonly namespace?: string
  readonly group?: string
  readonly kind?: string
  readonly sectionName?: string
  readonly port?: number
}

/** Which parents nobody reported on, and which reports are on none of the route's; all by the controller c unless said. */
function verdicts(spec: readonly Reference[], status: readonly (Reference & { by?: string })[]) {
  const object = {
    metadata: { name: "r", namespace: "apps" },
    spec: { parentRefs: spec },
    status: { parents: status.map(({ by = "c", ...parentRef }) => ({ controllerName: by, parentRef })) },
  }
  const shown = (suffix: RegExp) =>
    samplesAs("HTTPRoute", object, suffix).map((line) =>
      [...line.matchAll(/(controller|parent)_(\w+)="([^"]*)"/g)]
        .filter(([, , label]) => !["group", "kind", "namespace"].includes(label ?? ""))
        .map(([, , , value]) => value)
        .join(" "),
    )
  return { unreported: shown(/_parent_unreported$/), orphaned: shown(/_status_parent_orphaned$/) }
}

const cases: readonly [string, ...Parameters<typeof verdicts>, ReturnType<typeof verdicts>][] = [
  ["no report at all", [{ name: "a" }], [], { unreported: ["a"], orphaned: [] }],
  [
    "a report on each",
    [{ name: "a" }, { name: "b" }],
    [{ name: "a" }, { name: "b" }],
    { unreported: [], orphaned: [] },
  ],
  [
    "one section of two",
    [
      { name: "a", sectionName: "x" },
      { name: "a", sectionName: "y" },
    ],
    [{ name: "a", sectionName: "x" }],
    { unreported: ["a y"], orphaned: [] },
  ],
  [
    "another section than the one that is named",
    [{ name: "a", sectionName: "x" }],
    [{ name: "a", sectionName: "gone" }],
    { unreported: ["a x"], orphaned: ["c a gone"] },
  ],
  [
    "the whole, where sections are named",
    [
      { name: "a", sectionName: "x" },
      { name: "a", sectionName: "y" },
    ],
    [{ name: "a" }],
    { unreported: [], orphaned: [] },
  ],
  [
    "sections, where the whole is named",
    [{ name: "a" }],
    [
      { name: "a", sectionName: "x" },
      { name: "a", sectionName: "y" },
    ],
    { unreported: [], orphaned: [] },
  ],
  [
    "a section, and the whole as it was named before",
    [{ name: "a", sectionName: "x" }],
    [{ name: "a", sectionName: "x" }, { name: "a" }],
    { unreported: [], orphaned: ["c a"] },
  ],
  [
    "a section by one controller, the whole by another",
    [{ name: "a", sectionName: "x" }],
    [
      { name: "a", sectionName: "x" },
      { by: "d", name: "a" },
    ],
    { unreported: [], orphaned: [] },
  ],
  [
    "another port",
    [{ name: "a", port: 80 }],
    [{ name: "a", port: 81 }],
    { unreported: ["a 80"], orphaned: ["c a 81"] },
  ],
  [
    "the same with what is understood written out",
    [{ name: "a" }],
    [{ name: "a", namespace: "apps", group: "gateway.networking.k8s.io", kind: "Gateway" }],
    { unreported: [], orphaned: [] },
  ],
  [
    "one of its name in another namespace",
    [{ name: "a" }],
    [{ name: "a", namespace: "other" }],
    { unreported: ["a"], orphaned: ["c a"] },
  ],
  [
    "one of its name of another kind",
    [{ name: "a" }],
    [{ name: "a", kind: "Service", group: "" }],
    { unreported: ["a"], orphaned: ["c a"] },
  ],
  ["an entry without a name", [{ name: "a" }], [{}], { unreported: ["a"], orphaned: [] }],
  ["a report on what is named no more", [], [{ name: "a" }], { unreported: [], orphaned: ["c a"] }],
]

for (const [title, spec, status, expected] of cases) {
  test(`distinguishes unreported parents from orphaned reports: ${title}`, () => {
    assert.deepEqual(verdicts(spec, status), expected)
  })
}

test("a report on a parent fills in what is understood; the predecessor's families leave it out", () => {
  const object = {
    metadata: { name: "r", namespace: "apps" },
    spec: { parentRefs: [{ name: "a" }] },
    status: {
      parents: [{ controllerName: "c", parentRef: { name: "a" }, conditions: [{ type: "T", status: "True" }] }],
    },
  }
  const identity = 'name="r",namespace="apps"'
  const filled = `${identity},parent_group="gateway.networking.k8s.io",parent_kind="Gateway",parent_name="a",parent_namespace="apps"`
  assert.deepEqual(samplesAs("TCPRoute", object, /parent/), [
    `gatewayapi_tcproute_parent_info{${identity},parent_name="a"} 1`,
    `gatewayapi_tcproute_status_parent_info{controller_name="c",${identity},parent_name="a"} 1`,
    `gatewayapi_tcproute_status_parents_conditions{controller_name="c",${filled},type="T"} 1`,
    `gatewayapi_tcproute_status_parents_condition_reason{controller_name="c",${filled},status="True",type="T"} 1`,
  ])
})

test("of the old group's InferencePool the list is called parent, and its entry without a name is nobody's", () => {
  const entry = (parentRef: object) => ({ parentRef, conditions: [{ type: "Accepted", status: "Unknown" }] })
  for (const list of ["parent", "parents"]) {
    const object = { metadata: { name: "p", namespace: "ai" }, status: { [list]: [entry({}), entry({ name: "g" })] } }
    assert.deepEqual(samplesAs("InferencePool", object, /_conditions$/), [
      'gatewayapi_inferencepool_status_parents_conditions{name="p",namespace="ai",parent_group="gateway.networking.k8s.io",parent_kind="Gateway",parent_name="g",parent_namespace="ai",type="Accepted"} 0',
    ])
  }
})
