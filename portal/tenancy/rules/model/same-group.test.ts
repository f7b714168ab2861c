import assert from "node:assert/strict"
import { test } from "node:test"
import type { Rule, RuleGroup } from "./group.ts"
import { fieldsLost, sameButDropped, sameGroup } from "./same-group.ts"

const RULE: Required<Rule> = {
  record: "a:b",
  alert: "A",
  expr: "sum(up) > 1",
  for: "1m",
  keep_firing_for: "1m",
  labels: { severity: "page", team: "a" },
  annotations: { summary: "x" },
}
const GROUP: Required<RuleGroup> = {
  name: "g",
  interval: "1m",
  query_offset: "30s",
  limit: 5,
  labels: { cluster: "eu" },
  rules: [RULE, { ...RULE, alert: "B" }],
  source_tenants: ["a", "b"],
  align_evaluation_time_on_interval: true,
  evaluation_delay: "1m",
}
const withRule = (rule: object): RuleGroup => ({ ...GROUP, rules: [{ ...RULE, ...rule }, ...GROUP.rules.slice(1)] })
const without = <T extends object>(of: T, name: keyof T): T => {
  const { [name]: _, ...rest } = of
  return rest as T
}

const SAME: readonly (readonly [what: string, a: RuleGroup, b: RuleGroup])[] = [
  [
    "a duration in another unit",
    GROUP,
    { ...GROUP, interval: "60s", evaluation_delay: "60000ms", query_offset: "30000ms" },
  ],
  ["a duration of a rule in another unit", GROUP, withRule({ for: "0h1m", keep_firing_for: "60s" })],
  [
    "0s and none",
    withRule({ for: "0s", keep_firing_for: "0m" }),
    withRule({ for: undefined, keep_firing_for: undefined }),
  ],
  ["an interval of 0s and none", { ...GROUP, interval: "0s" }, without(GROUP, "interval")],
  ["a limit of 0 and none", { ...GROUP, limit: 0 }, without(GROUP, "limit")],
  [
    "false and none",
    { ...GROUP, align_evaluation_time_on_interval: false },
    without(GROUP, "align_evaluation_time_on_interval"),
  ],
  ["labels in another order", GROUP, withRule({ labels: { team: "a", severity: "page" } })],
  [
    "an empty map and none",
    withRule({ labels: {}, annotations: {} }),
    withRule({ labels: undefined, annotations: undefined }),
  ],
  ["no labels of the group", { ...GROUP, labels: {} }, without(GROUP, "labels")],
  ["tenants in another order", GROUP, { ...GROUP, source_tenants: ["b", "a", "a"] }],
  ["no name and an empty one", withRule({ record: "" }), withRule({ record: undefined })],
  [
    "an expression that is written otherwise",
    GROUP,
    withRule({ expr: "sum by () (\n  {__name__='up'} # all\n) > 1.0" }),
  ],
  ["white space around an expression", GROUP, withRule({ expr: "\n sum(up) > 1\n\n" })],
  [
    "a line separator that YAML 1.1 cannot keep",
    withRule({ annotations: { a: "x\u2028\ny" } }),
    withRule({ annotations: { a: "x\n\n    y" } }),
  ],
  [
    "line feeds at the start, of which the ruler's YAML loses one",
    withRule({ annotations: { a: "\n\nx" } }),
    withRule({ annotations: { a: "\nx" } }),
  ],
]

for (const [what, a, b] of SAME)
  test(`the same: ${what}`, () => {
    assert.equal(sameGroup(a, b), true)
    assert.equal(sameGroup(b, a), true)
  })

test("any change of any field is another group", () => {
  const others: Required<RuleGroup> = {
    name: "h",
    interval: "61s",
    query_offset: "0s",
    limit: -1,
    labels: { cluster: "us" },
    rules: GROUP.rules.toReversed(),
    source_tenants: ["a"],
    align_evaluation_time_on_interval: false,
    evaluation_delay: "2m",
  }
  const otherRules: Required<Rule> = {
    record: "a:c",
    alert: "C",
    expr: "sum(up) > 2",
    for: "1ms",
    keep_firing_for: "61s",
    labels: { severity: "page", team: "A" },
    annotations: { summary: "x " },
  }
  const changed = [
    ...Object.entries(others).flatMap(([name, value]) => [
      { ...GROUP, [name]: value },
      name === "rules" || name === "name" ? { ...GROUP, rules: [] } : without(GROUP, name as keyof RuleGroup),
    ]),
    ...Object.entries(otherRules).flatMap(([name, value]) => [
      withRule({ [name]: value }),
      withRule({ [name]: name === "expr" ? "" : undefined }),
    ]),
    { ...GROUP, new_field: "1" },
    withRule({ new_field: ["1"] }),
    withRule({ labels: { ...RULE.labels, other: "" } }),
  ]
  const same = changed.filter((group) => sameGroup(GROUP, group) || sameGroup(group, GROUP))
  assert.deepEqual(same, [])
})

test("fields that are not known here are compared too", () => {
  const a = { ...GROUP, new_field: { a: ["1"] } }
  assert.equal(sameGroup(a, structuredClone(a)), true)
  assert.equal(sameGroup(a, Object.assign({ ...GROUP }, { new_field: { a: ["2"] } })), false)
})

test("an offset or a delay of 0s is not the default of the ruler", () => {
  assert.equal(sameGroup({ ...GROUP, query_offset: "0s" }, without(GROUP, "query_offset")), false)
  assert.equal(sameGroup({ ...GROUP, evaluation_delay: "0s" }, without(GROUP, "evaluation_delay")), false)
})

test("knows a group that the original informer has written by what it lost, and nothing else", () => {
  const lost = without(without(without({ ...GROUP, interval: "60s" }, "limit"), "query_offset"), "labels")
  const present = { ...lost, rules: lost.rules.map((rule) => without(rule, "keep_firing_for")) }
  assert.equal(sameButDropped(present, GROUP), true)
  assert.equal(sameButDropped(GROUP, GROUP), true)
  assert.equal(sameButDropped(GROUP, present), false)
  assert.equal(sameButDropped({ ...present, limit: 6 }, GROUP), false)
  assert.equal(sameButDropped({ ...present, labels: {} }, GROUP), false)
  assert.equal(sameButDropped(without(present, "interval"), GROUP), false)
  assert.equal(sameButDropped({ ...present, rules: present.rules.map((rule) => without(rule, "for")) }, GROUP), false)
})

test("names the fields that a group has lost, where all else is the same", () => {
  const lost = without(without({ ...GROUP, interval: "60s" }, "limit"), "labels")
  assert.deepEqual(fieldsLost(lost, GROUP), ["limit", "labels"])
  const rules = GROUP.rules.map((rule) => without(rule, "keep_firing_for"))
  assert.deepEqual(fieldsLost({ ...lost, rules }, GROUP), ["limit", "labels", "keep_firing_for"])
  assert.deepEqual(fieldsLost(GROUP, GROUP), [])
  for (const other of [
    { ...lost, interval: "61s" },
    { ...lost, new_field: 1 },
    { ...lost, rules: GROUP.rules.slice(1) },
    { ...lost, rules: GROUP.rules.toReversed() },
    { ...lost, rules: GROUP.rules.map((rule) => ({ ...rule, for: "2m" })) },
  ])
    assert.equal(fieldsLost(other, GROUP), undefined)
  assert.equal(fieldsLost(GROUP, lost), undefined)
})
