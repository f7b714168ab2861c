import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Rule } from "../model/group.ts"
import { lintGroups } from "./lint-groups.ts"
import { AS_SOON, from, lint, lintAlert, lintRules, target } from "./testing.ts"

test("a recorded condition is a condition", () => {
  const alert = { alert: "A", expr: "bad" }
  assert.deepEqual(lintRules({ record: "bad", expr: "up == 0" }, alert), [])
  assert.deepEqual(lintRules({ record: "bad", expr: "up" }, alert), [`1.expr alerts/comparison bad: ${AS_SOON}`])
})

test("a rule stands below those it reads", () => {
  const [read, record] = [
    { record: "b", expr: "sum(a)" },
    { record: "a", expr: "sum by (job) (up)" },
  ]
  const late =
    '0.expr rule/dependency a: "a" is recorded later in this group, and so is one evaluation behind: move this rule below'
  assert.deepEqual(lintRules(read, record), [late])
  assert.deepEqual(lintRules(record, read), [])
  assert.deepEqual(lintRules({ record: "a", expr: "up" }, read, { ...record, labels: { x: "y" } }), [])
  assert.deepEqual(lintRules({ record: "b", expr: "avg_over_time(a[1d])" }, record), [])
  assert.deepEqual(lintRules({ record: "b", expr: "sum(a offset 1d)" }, record), [])
  assert.deepEqual(lint(from("a", { rules: [read] }), from("b", { rules: [record] })), [])
})

test("what is recorded seldom is not always there", () => {
  const read = from("a", { rules: [{ record: "b", expr: "sum(a)" }] })
  const every = (interval: string) => from("b", { interval, rules: [{ record: "a", expr: "up" }] })
  assert.deepEqual(lint(read, every("10m")), [
    '0.expr rule/dependency a: group "g" records "a" every 10m, and series end after 5m: read it by last_over_time(), or record it more often',
  ])
  assert.deepEqual(lint(read, every("5m")), [])
  assert.deepEqual(lint(read, every("10m"), from("c", { rules: [{ record: "a", expr: "x", labels: { y: "z" } }] })), [])
})

test("two files record a series once", () => {
  const rules = [{ record: "a", expr: "up", labels: { x: "1" } }]
  const other = [{ record: "a", expr: "down", labels: { x: "1" } }]
  const twice =
    '0 rule/duplicate: group "g" of another file or resource records "a" with the same labels; where the results of both have the same labels, one is lost: change a name or label'
  assert.deepEqual(lint(from("a", { rules }), from("b", { rules: other })), [twice])
  assert.deepEqual(
    lint(from("a", { rules }), from("b", { labels: { x: "1" }, rules: [{ record: "a", expr: "up" }] })),
    [twice],
  )
  assert.deepEqual(
    lint(from("a", { rules }), from("b", { rules: [{ record: "a", expr: "up", labels: { x: "2" } }] })),
    [],
  )
  assert.deepEqual(lint(from("a", { rules }, ["t"]), from("b", { rules: other }, ["u"])), [])
  assert.deepEqual(lint(from("a", { rules }, ["t"]), from("b", { rules: other }, ["u", "t"])), [twice])
  assert.deepEqual(lint(from("a", { rules }, ["s", "t"]), from("b", { rules: other }, ["t"])), [twice])
  assert.deepEqual(lint(from("a", { rules }, ["t"]), from("b", { rules: other })), [twice])
  assert.deepEqual(lint(from("a", { rules }), from("b", { rules: other }, ["t"])), [twice])
})

const long = (part: string, glue: string, times: number) => Array<string>(times).fill(part).join(glue)
test("takes long and deep expressions", () => {
  for (const expr of [
    long('a{x="1"} > 0', " or ", 5000),
    long("a", " + ", 3000),
    `${"(".repeat(4000)}a${")".repeat(4000)} > 0`,
    `${"sum by (x) (".repeat(2000)}a${")".repeat(2000)} > 0`,
  ]) {
    assert.deepEqual(
      lintAlert(expr).filter((finding) => !finding.includes("alerts/comparison")),
      [],
    )
  }
})

test("never throws, and points into the text", () => {
  const expression = fc.letrec<{ vector: string; scalar: string }>((tie) => ({
    scalar: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("0", "1", "time()"),
      tie("vector").map((v) => `scalar(${v})`),
    ),
    vector: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        "a",
        'b{x="1"}',
        'c{x=~"1|2",y!~"a.*b"}',
        "rate(d[5m])",
        "vector(1)",
        'absent(e{x="1"})',
        "1 - f",
      ),
      fc
        .tuple(fc.constantFrom("sum", "count", "group", "max by (x)", "count without (x, y)"), tie("vector"))
        .map(([f, v]) => `${f}(${v})`),
      fc
        .tuple(
          fc.constantFrom("topk(5, ", 'count_values("x", ', "abs(", "label_replace(", "max_over_time(("),
          tie("vector"),
        )
        .map(
          ([f, v]) =>
            `${f}${v}${f.startsWith("label") ? ', "x", "$1", "y", "(.*)"' : f.startsWith("max") ? ")[5m:1m]" : ""})`,
        ),
      fc
        .tuple(
          tie("vector"),
          fc.constantFrom(
            "+",
            "> bool",
            "==",
            "/ on (x)",
            "* ignoring (y) group_left (z)",
            "and",
            "unless on (x)",
            "or",
          ),
          tie("vector"),
        )
        .map(([l, op, r]) => `(${l}) ${op} (${r})`),
      fc
        .tuple(tie("vector"), fc.constantFrom("+", ">", "== bool"), tie("scalar"))
        .map(([l, op, r]) => `(${l}) ${op} (${r})`),
    ),
  })).vector
  const text = fc.constantFrom("{{ $labels.x }}{{ $value }}", '{{ query "sum(up)" | first | label "x" }}', "{{", "x")
  let found = 0
  fc.assert(
    fc.property(expression, text, fc.boolean(), (expr, template, isAlert) => {
      const rule: Rule = isAlert
        ? { alert: "A", expr, annotations: { a: template }, labels: { l: template } }
        : { record: "r", expr }
      for (const { span, path } of lintGroups([from("a", { rules: [rule] })], target)) {
        found++
        const [, , field, name] = path
        const at =
          field === "expr"
            ? expr
            : field === "annotations" || field === "labels"
              ? rule[field]?.[String(name)]
              : undefined
        assert.ok(span !== undefined && at !== undefined && span.from <= span.to && span.to <= at.length)
      }
    }),
    { numRuns: 1000 },
  )
  assert.ok(found > 100, `only ${found} findings, so that little was shown`)
})
