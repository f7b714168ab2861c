import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { TARGET_NAMES, type TargetName } from "./target.ts"
import { targetOf } from "./targets.ts"
import { validateGroup, validateGroups } from "./validate-group.ts"

const P35 = "prometheus-3.5"
const P253 = "prometheus-2.53"
const CORTEX = "cortex-1.21"
const rule = { record: "a", expr: "up" }
const alert = { alert: "A", expr: "up == 0" }
const withRule = (fields: object): object => ({ name: "g", rules: [{ ...rule, ...fields }] })
const withAlert = (fields: object): object => ({ name: "g", rules: [{ ...alert, ...fields }] })

/** Each problem in a line. */
const linesOf = (group: unknown, target: TargetName): readonly string[] =>
  validateGroup(group, targetOf(target)).problems.map(
    ({ severity, path, message }) => `${severity} ${path.join(".")}: ${message}`,
  )

const whole = {
  name: "g",
  interval: "1m",
  query_offset: "30s",
  limit: 5,
  labels: { team: "a" },
  rules: [
    { record: "a:b", expr: "sum(x)", labels: { k: "v" } },
    { alert: "Down", expr: "up == 0", for: "5m", keep_firing_for: "10m", annotations: { summary: "down" } },
  ],
}

for (const target of TARGET_NAMES.slice(1, -1))
  test(`keeps every field of today for ${target}`, () =>
    assert.deepEqual(validateGroup(whole, targetOf(target)), { name: "g", group: whole, problems: [] }))

test("refuses what is nested thousands deep, as the API takes it", () => {
  const deep = JSON.parse("[".repeat(9000) + "]".repeat(9000)) as unknown
  const message =
    "error : holds lists and maps that are nested more than 100 deep; write its fields as they are documented"
  for (const target of TARGET_NAMES) {
    assert.deepEqual(linesOf(withRule({ labels: { a: deep } }), target), [message])
    assert.deepEqual(linesOf({ ...whole, unknown: deep }, target), [message])
  }
})

test("keeps Mimir's own fields for Mimir", () => {
  const { limit: _, ...others } = whole
  const group = {
    ...others,
    source_tenants: ["a", "b"],
    align_evaluation_time_on_interval: true,
    evaluation_delay: "30s",
  }
  assert.deepEqual(validateGroup(group, targetOf("mimir")), { name: "g", group, problems: [] })
})

test("writes nothing that Mimir drops, which would be written again and again", () => {
  const { limit, query_offset: _, ...kept } = whole
  const dropped = { ...kept, limit, query_offset: "0s", evaluation_delay: "0m" }
  const { group, problems } = validateGroup(dropped, targetOf("mimir"))
  assert.deepEqual(group, kept)
  const zero =
    "0s is dropped by Mimir, which then takes ruler_evaluation_delay_duration of the tenant; write 1ms for none"
  assert.deepEqual(
    problems.map(({ severity, path, message }) => `${severity} ${path.join(".")}: ${message}`),
    [
      "warning limit: is no field of a group for Mimir (there ruler_max_rule_evaluation_results of the tenant's limits does the same), which drops it without a word; remove it",
      `warning query_offset: ${zero}`,
      `warning evaluation_delay: ${zero}`,
    ],
  )
  assert.deepEqual(validateGroup(dropped, targetOf("cortex-1.21")).group, { ...kept, limit, query_offset: "0s" })
})

test("warns of what Mimir evaluates for some tenants alone, and writes it", () => {
  const group = { name: "g", rules: [{ record: "a", expr: "mad_over_time(x[5m])" }] }
  const problem = {
    severity: "warning",
    check: "promql/syntax",
    path: ["rules", 0, "expr"],
    message:
      "mad_over_time() is experimental: Mimir accepts it, and evaluates it through the query-frontend only with enabled_promql_experimental_functions of the tenant's limits",
    span: { from: 0, to: 13 },
  }
  assert.deepEqual(validateGroup(group, targetOf("mimir")), { name: "g", group, problems: [problem] })
  const on = targetOf("mimir", ["promql-experimental-functions"])
  assert.deepEqual(validateGroup(group, on), { name: "g", group, problems: [] })
})

test("writes what is meant where people are tolerant", () => {
  const group = {
    name: 7,
    interval: "",
    labels: {},
    rules: [
      null,
      {
        alert: true,
        record: null,
        expr: 1,
        for: "",
        labels: { severity_id: 5, empty: null },
        annotations: { ok: false },
      },
      { record: "a", alert: "", expr: "up", for: "0s", keep_firing_for: 0, annotations: {} },
    ],
  }
  assert.deepEqual(validateGroup(group, targetOf(CORTEX)), {
    name: "7",
    group: {
      name: "7",
      rules: [
        { alert: "true", expr: "1", labels: { severity_id: "5", empty: "" }, annotations: { ok: "false" } },
        { record: "a", expr: "up" },
      ],
    },
    problems: [
      { severity: "warning", check: "schema", path: ["rules", 0], message: "is empty and ignored; remove the dash" },
      {
        severity: "warning",
        check: "schema",
        path: ["rules", 1, "annotations", "ok"],
        message:
          'is the boolean false and becomes the text "false"; put it in quotes: no, off and the like are booleans in YAML',
      },
      {
        severity: "warning",
        check: "schema",
        path: ["rules", 1, "labels", "severity_id"],
        message: 'is the number 5 and becomes the text "5"; put it in quotes',
      },
    ],
  })
})

const cases: readonly (readonly [target: TargetName, group: unknown, lines: readonly string[]])[] = [
  [P35, null, ["error : must be a group with name and rules, but is empty"]],
  [P35, [], ["error : must be a group with name and rules, but is a list"]],
  [P35, "x", ["error : must be a group with name and rules, but is text"]],
  [P35, {}, ["error : has no name; add one"]],
  [
    CORTEX,
    {},
    [
      "error : has no name; add one",
      "error : has no rules, and Cortex 1.21 refuses empty groups; add a rule or remove the group",
    ],
  ],
  [P35, { name: "", rules: [] }, ["error name: has no name; add one"]],
  [
    P35,
    { name: ["a"], rules: {} },
    ["error name: must be text, but is a list", "error rules: must be a list, but is a map"],
  ],
  [
    CORTEX,
    { name: "g", rules: [null] },
    [
      "warning rules.0: is empty and ignored; remove the dash",
      "error : has no rules, and Cortex 1.21 refuses empty groups; add a rule or remove the group",
    ],
  ],
  [
    P35,
    { name: "g", intervall: "1m", rules: [] },
    ["error intervall: is no field of a group for Prometheus 3.5 (Did you mean interval?); remove it"],
  ],
  [
    CORTEX,
    { ...whole, intervall: "1m", "a\nb": 1 },
    [
      "warning intervall: is no field of a group for Cortex 1.21 (Did you mean interval?), which drops it without a word; remove it",
      "warning a\nb: is no field of a group for Cortex 1.21, which drops it without a word; remove it",
    ],
  ],
  [
    "prometheus-2.53",
    { name: "g", labels: { a: "b" }, rules: [] },
    ["error labels: is no field of a group for Prometheus 2.53 (Prometheus 3.0 added it); remove it"],
  ],
  [
    P35,
    { name: "g", source_tenants: ["a"], evaluation_delay: "1m", rules: [] },
    [
      "error source_tenants: is no field of a group for Prometheus 3.5 (only Mimir reads it); remove it",
      "error evaluation_delay: is no field of a group for Prometheus 3.5 (only Mimir reads it; query_offset does the same); remove it",
    ],
  ],
  [
    CORTEX,
    { ...whole, align_evaluation_time_on_interval: true },
    [
      "warning align_evaluation_time_on_interval: is no field of a group for Cortex 1.21 (only Mimir reads it), which drops it without a word; remove it",
    ],
  ],
  [
    "mimir",
    { ...whole, source_tenants: ["a|b", 7], evaluation_delay: "1m", align_evaluation_time_on_interval: "yes" },
    [
      "warning limit: is no field of a group for Mimir (there ruler_max_rule_evaluation_results of the tenant's limits does the same), which drops it without a word; remove it",
      "error evaluation_delay: differs from query_offset, which replaces it; remove evaluation_delay",
      'error source_tenants.0: must consist of letters, digits and !-_.*\'() (has "|")',
      "error source_tenants.1: must be text, but is the number 7",
      "error align_evaluation_time_on_interval: must be true or false, but is text",
    ],
  ],
  [
    P35,
    { name: "g", interval: 30, query_offset: "-1m", rules: [] },
    [
      'error query_offset: must be whole numbers with units from big to small, such as 1m30s or 2h (is "-1m")',
      'error interval: must be whole numbers with units from big to small, such as 1m30s or 2h (is "30")',
    ],
  ],
  [
    P35,
    { name: "g", interval: "", rules: [] },
    ['error interval: must be whole numbers with units from big to small, such as 1m30s or 2h (is "")'],
  ],
  [
    P35,
    { name: "g", interval: "293y", query_offset: ["1m"], rules: [] },
    ["error query_offset: must be text, but is a list", 'error interval: must be at most 292y (is "293y")'],
  ],
  [P35, { name: "g", limit: "10", rules: [] }, ['error limit: must be a whole number without quotes (is "10")']],
  [P35, { name: "g", limit: 1.5, rules: [] }, ["warning limit: must be a whole number, and is read as 1"]],
  [P35, { name: "g", limit: 1e30, rules: [] }, ["error limit: must be a smaller number"]],
  [P35, { name: "g", limit: true, rules: [] }, ["error limit: must be a whole number, but is the boolean true"]],
  [
    P35,
    { name: "g", labels: { __name__: "x", "": "y" }, rules: [] },
    [
      "error labels.__name__: a rule cannot set the label __name__; use record to name the series",
      "error labels.: has an empty name; give it one",
    ],
  ],
  [
    P35,
    { name: "g", rules: ["up", 1, []] },
    [
      "error rules.0: must be a rule with record or alert, but is text",
      "error rules.1: must be a rule with record or alert, but is the number 1",
      "error rules.2: must be a rule with record or alert, but is a list",
    ],
  ],
  [
    P35,
    { name: "g", rules: [{}] },
    ["error rules.0: has neither record nor alert; add one of them", "error rules.0: has no expr; add the expression"],
  ],
  [P35, withRule({ alert: "A" }), ["error rules.0.alert: has both record and alert; make two rules of it"]],
  [P35, withRule({ alert: null }), []],
  [P253, withRule({ alert: null }), ['error rules.0.alert: is the text "null" for prometheus-2.53; remove the line']],
  [
    P253,
    withRule({ record: null, alert: "A" }),
    ['error rules.0.record: is the text "null" for prometheus-2.53; remove the line'],
  ],
  [P253, withRule({ record: null }), ["error rules.0: has neither record nor alert; add one of them"]],
  [P35, withRule({ expr: null }), ["error rules.0.expr: has no expr; add the expression"]],
  [P35, withRule({ expr: [] }), ["error rules.0.expr: must be text, but is a list"]],
  [P35, withRule({ expr: "  " }), ["error rules.0.expr: has no expr; add the expression"]],
  [
    P35,
    withRule({ for: "5m", keep_firing_for: "1s", annotations: { a: "b" } }),
    [
      "error rules.0.annotations: is only for alerts, and this rule records; remove it",
      "error rules.0.for: is only for alerts, and this rule records; remove it",
      "error rules.0.keep_firing_for: is only for alerts, and this rule records; remove it",
    ],
  ],
  [
    P35,
    withRule({ exprr: "up", Labels: {} }),
    [
      "error rules.0.exprr: is no field of a rule for Prometheus 3.5 (Did you mean expr?); remove it",
      "error rules.0.Labels: is no field of a rule for Prometheus 3.5 (Did you mean labels?); remove it",
    ],
  ],
  [
    CORTEX,
    withRule({ exprr: "up", source_tenants: ["a"] }),
    [
      "warning rules.0.exprr: is no field of a rule for Cortex 1.21 (Did you mean expr?), which drops it without a word; remove it",
      "warning rules.0.source_tenants: is no field of a rule for Cortex 1.21, which drops it without a word; remove it",
    ],
  ],
  [P35, withRule({ expr: '{a="\\xff"}' }), ["unchecked rules.0.expr: it holds a string that is not UTF-8"]],
  [
    P35,
    withRule({ record: 'up{a="b"}' }),
    ['error rules.0.record: "up{a=\\"b\\"}" holds braces; put selectors into expr'],
  ],
  [P35, withRule({ record: "a b", labels: { "a.b": "c" } }), []],
  [
    CORTEX,
    withRule({ record: "a.b", labels: { "a.b": "c" } }),
    [
      'error rules.0.record: "a.b" is no metric name for Cortex 1.21, which takes letters, digits, _ and :',
      'error rules.0.labels.a.b: "a.b" is no name for Cortex 1.21, which takes letters, digits and _',
    ],
  ],
  [
    P35,
    withRule({ labels: { a: ["b"], b: "\ud800", "\ud800": "c" } }),
    [
      "error rules.0.labels.a: must be text, but is a list",
      "error rules.0.labels.b: holds half of a character, which is not UTF-8; write the character anew",
      'error rules.0.labels.\ud800: "\\ud800" is not UTF-8; write it anew',
    ],
  ],
  [P35, withRule({ labels: ["b"] }), ["error rules.0.labels: must be a map of names and texts, but is a list"]],
  [P35, withRule({ record: ["a"] }), ["error rules.0.record: must be text, but is a list"]],
  [
    P35,
    withAlert({ for: "1.5h" }),
    ['error rules.0.for: must be whole numbers with units from big to small, such as 1m30s or 2h (is "1.5h")'],
  ],
  [
    P35,
    withAlert({ keep_firing_for: "1.5h" }),
    [
      'error rules.0.keep_firing_for: must be whole numbers with units from big to small, such as 1m30s or 2h (is "1.5h")',
    ],
  ],
  [
    "prometheus-2.53",
    withAlert({ annotations: { "a.b": "c", "": "d", __name__: "e" } }),
    [
      'error rules.0.annotations.a.b: "a.b" is no name for Prometheus 2.53, which takes letters, digits and _',
      "error rules.0.annotations.: has an empty name; give it one",
    ],
  ],
  [
    P35,
    withAlert({ labels: { a: "{{ $label }}" }, annotations: { b: "{{ humanize }}", c: "{{ now }}" } }),
    [
      "error rules.0.labels.a: the variable $label is not defined here (Did you mean $labels?)",
      "warning rules.0.annotations.b: humanize takes 1 argument and has 0",
      "error rules.0.annotations.c: the function now is unknown to the target (Did you mean not?)",
    ],
  ],
  [CORTEX, withAlert({ annotations: { c: "{{ now }}" } }), []],
  [P35, withRule({ labels: { a: "{{ $label }}" } }), []],
  [
    CORTEX,
    withAlert({ annotations: { a: "x".repeat(600_000) } }),
    ["error : has 587 KiB, more than the 512 KiB that are written to a ruler; split it"],
  ],
  [
    P35,
    withAlert({ annotations: { a: "x".repeat(600_000) } }),
    ["warning : has 587 KiB, more than the 512 KiB that prometheus-operator and rulers accept; split it"],
  ],
  [
    P35,
    { name: "g", rules: [rule, alert, { ...rule, expr: "1" }, { ...alert, labels: { a: "b" } }] },
    [
      'lint rules.2: "a" has the labels of rules[0]; where the results of both have the same labels, one is lost: change its name or a label',
    ],
  ],
  [
    P35,
    {
      name: "g",
      rules: [
        { ...rule, labels: { a: "1", b: "2", c: "3" } },
        { ...rule, labels: { c: "3", b: "2", a: "1" } },
      ],
    },
    [
      'lint rules.1: "a" has the labels of rules[0]; where the results of both have the same labels, one is lost: change its name or a label',
    ],
  ],
  [
    P35,
    { name: "g", rules: [{ expr: "1" }, { expr: "1" }] },
    [
      "error rules.0: has neither record nor alert; add one of them",
      "error rules.1: has neither record nor alert; add one of them",
    ],
  ],
  [
    P35,
    { name: "g", labels: { a: "1" }, rules: [{ ...rule, labels: { a: "1" } }, rule, { ...rule, labels: { a: "2" } }] },
    [
      'lint rules.1: "a" has the labels of rules[0]; where the results of both have the same labels, one is lost: change its name or a label',
    ],
  ],
]
for (const [target, group, lines] of cases)
  test(`${target} judges ${JSON.stringify(group).slice(0, 120)}`, () => assert.deepEqual(linesOf(group, target), lines))

test("takes names of any characters where the target is told to", () =>
  assert.deepEqual(
    validateGroup(withRule({ record: "a.b", labels: { "c.d": "" } }), targetOf("mimir", ["utf8-names"])).problems,
    [],
  ))

test("judges each group of a list by itself, and names that come twice", () => {
  const groups = [
    { name: "a", rules: [rule] },
    null,
    { name: "b", rules: [{ ...rule, for: "x" }] },
    { name: "a", rules: [alert] },
    { name: "c", rules: [alert] },
  ]
  const shown = validateGroups(groups, targetOf(P35))?.map(({ name, group, problems }) => [
    name,
    group !== undefined,
    ...problems.map(({ severity, path, message }) => `${severity} ${path.join(".")}: ${message}`),
  ])
  assert.deepEqual(shown, [
    ["a", true],
    ["", false, "warning : is empty and ignored; remove the dash"],
    [
      "b",
      false,
      'error rules.0.for: must be whole numbers with units from big to small, such as 1m30s or 2h (is "x")',
      'lint rules.0: "a" has the labels of rules[0] of group "a"; where the results of both have the same labels, one is lost: change its name or a label',
    ],
    ["a", false, 'error name: "a" is the name of groups[0] already; rename one of them'],
    [
      "c",
      true,
      'lint rules.0: "A" has the labels of rules[0] of group "a"; where the results of both have the same labels, one is lost: change its name or a label',
    ],
  ])
})

test("a list of groups is a list, or nothing", () => {
  const target = targetOf(P35)
  assert.deepEqual(validateGroups(undefined, target), [])
  assert.deepEqual(validateGroups(null, target), [])
  for (const none of [{}, "", 0, false]) assert.equal(validateGroups(none, target), undefined)
})

test("never throws, and never writes what has an error", () => {
  const fields = [...targetOf("mimir").groupFields, ...targetOf("mimir").ruleFields, "__proto__", "constructor"]
  const scalar = fc.oneof(
    fc.constantFrom("", "1m", "up", "up == 0", "a.b", "{{ $value }}", "\ud800", null, 0, -1, 1.5, 1e300, true),
    fc.string({ unit: "binary" }),
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 5 }, scalar, fc.array(tie("any")), tie("map")),
    map: fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), tie("any"), { maxKeys: 6 }),
  })).any
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(...TARGET_NAMES), (groups, name) => {
      for (const { group, problems } of validateGroups(groups, targetOf(name)) ?? []) {
        if (group !== undefined) assert.ok(problems.every(({ severity }) => severity !== "error"))
        for (const { message } of problems) assert.doesNotMatch(message, /[\n\ud800]/u)
      }
      validateGroup(groups[0], targetOf(name))
    }),
  )
})

test("what is written of a group is valid, and written once more the same", () => {
  for (const name of TARGET_NAMES) {
    const { group } = validateGroup({ ...whole, labels: undefined, x: 1 }, targetOf("mimir"))
    assert.deepEqual(validateGroup(group, targetOf(name)), { name: "g", group, problems: [] })
  }
})
