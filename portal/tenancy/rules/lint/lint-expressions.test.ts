import assert from "node:assert/strict"
import { test } from "node:test"
import { AS_SOON, lintAlert, lintRecord } from "./testing.ts"

const BOOL = "has a result also where it is false, by bool: remove bool, or compare the result"

const ALERTS: readonly (readonly [expr: string, ...findings: readonly string[]])[] = [
  ["up > 0"],
  ["up", `0.expr alerts/comparison up: ${AS_SOON}`],
  ["sum by (job) (rate(errors_total[5m]))", `0.expr alerts/comparison errors_total[5m]: ${AS_SOON}`],
  ["sum by (job) (rate(errors_total[5m])) > 1"],
  ["count(up == 0)"],
  ["absent(up)"],
  ["absent_over_time(up[5m])"],
  ["a unless b"],
  ["a and b", `0.expr alerts/comparison a: ${AS_SOON}`],
  ["a and on (job) (b > 0)"],
  ["a > 0 or b", `0.expr alerts/comparison b: ${AS_SOON}`],
  ["a > 0 or b > 0"],
  ["a * on (job) group_left () (b > 0)"],
  ["a * 100", `0.expr alerts/comparison a: ${AS_SOON}`],
  ["a > bool 1", `0.expr alerts/comparison a > bool 1: ${BOOL}`],
  ["(a > bool 1) == 1"],
  ["(a > 1) == bool 1"],
  ["1 > bool 2", `0.expr alerts/comparison 1 > bool 2: ${BOOL}`],
  ["changes((a > 1)[5m:1m])"],
  ["changes(a[5m])", `0.expr alerts/comparison a[5m]: ${AS_SOON}`],
  ["vector(1)"],
  ["(1)"],
  ["vector(scalar(up))", "0.expr alerts/comparison vector(scalar(up)): vector() always has a result: compare it"],
  ["time()", "0.expr alerts/comparison time(): time() always has a result: compare it"],
  ["scalar(a) + 1", "0.expr alerts/comparison scalar(a) + 1: always has a result: compare it"],
  ["histogram_quantile(0.9, a)", `0.expr alerts/comparison a: ${AS_SOON}`],
  ["histogram_quantile(0.9, a) > 1"],
  ["1 + 1", "0.expr alerts/comparison 1 + 1: always has a result: compare it"],
  ['ALERTS{alertstate="firing"}'],
  ['interface_info{state="down"}'],
  ["interface_info", `0.expr alerts/comparison interface_info: ${AS_SOON}`],

  [
    "topk(5, a) > 1",
    "0.expr promql/fragile topk(5, a): topk selects other series each time, so alerts come and go: compare with a limit instead",
  ],
  ["sum(topk(5, a)) > 1"],
  [
    "1 < topk(5, a)",
    "0.expr promql/fragile topk(5, a): topk selects other series each time, so alerts come and go: compare with a limit instead",
  ],
  [
    "sum by (job) (bottomk(5, a)) > 1",
    "0.expr promql/fragile bottomk(5, a): bottomk selects other series each time, so alerts come and go: compare with a limit instead",
  ],
  ["a > 1 and on (job) topk(5, b)"],
  ["a * on (job) group_left (x) topk by (job) (1, b) > 1"],
  ["topk by (job) (1, b) > 1"],
]
for (const [expr, ...findings] of ALERTS)
  test(`finds in an alert of ${expr}`, () => assert.deepEqual(lintAlert(expr), findings))

const never = (side: string, label: string) =>
  `the sides never match: the ${side} side cannot have the label ${label}, which the other always has; match on (…) or ignoring (${label})`
const count = "count of nothing has no result, and not 0; use absent()"

const EXPRESSIONS: readonly (readonly [expr: string, ...findings: readonly string[]])[] = [
  ['a{x="1",y!="2"}'],
  ['a{x="1",x="2"}', '0.expr promql/impossible a{x="1",x="2"}: selects nothing: x="1" contradicts x="2"'],
  ['a{x="1",x!="1"}', '0.expr promql/impossible a{x="1",x!="1"}: selects nothing: x="1" contradicts x!="1"'],
  ['a{x="1",x=~"2|3"}', '0.expr promql/impossible a{x="1",x=~"2|3"}: selects nothing: x="1" contradicts x=~"2|3"'],
  ['a{x="1",x=~"1|3"}'],
  ['a{x="1",x!~"1|2"}', '0.expr promql/impossible a{x="1",x!~"1|2"}: selects nothing: x="1" contradicts x!~"1|2"'],
  ['a{x="",x!=""}', '0.expr promql/impossible a{x="",x!=""}: selects nothing: x="" contradicts x!=""'],
  ['a{x!~".*"}', '0.expr promql/impossible a{x!~".*"}: selects nothing: x!~".*" refuses every value'],
  ['a{x!~".+"}'],
  ['a{x!~".*b"}'],
  ['a{x!~"(.*)b"}'],

  ['a{x="1"} / sum(a)', `0.expr promql/impossible a{x="1"} / sum(a): ${never("right", "x")}`],
  ['sum(a) > a{x="1"}', `0.expr promql/impossible sum(a) > a{x="1"}: ${never("left", "x")}`],
  ['a{x="1"} unless sum(a)', `0.expr promql/impossible a{x="1"} unless sum(a): ${never("right", "x")}`],
  ['a{x="1"} or sum(a)'],
  ['a{x="1"} / ignoring (x) sum(a)'],
  ['a{x="1"} / on () group_left () sum(a)'],
  ['a{x="1"} / scalar(sum(a))'],
  ["a / sum(a)"],
  ['a{x="1"} / a{x=""}', `0.expr promql/impossible a{x="1"} / a{x=""}: ${never("right", "x")}`],
  ['a{x=~".+"} / sum by (y) (a)', `0.expr promql/impossible a{x=~".+"} / sum by (y) (a): ${never("right", "x")}`],
  [
    'a{x=~".*"} / sum by (y) (a)',
    '0.expr promql/regexp a{x=~".*"}: x=~".*" matches every value, and none at all: remove it',
  ],
  ['a{x="1"} / label_replace(sum(a), "x", "1", "", "")'],
  ['a{x="1"} / count_values("x", a)'],
  ['absent(a{x="1"}) and a{x="1"}'],
  ['a{x="1"} + fill(0) sum(a)'],
  ["sum(a) / on (x) b", "0.expr promql/impossible sum(a) / on (x) b: on (x): the left side cannot have the label x"],
  ["sum by (x) (a) / on (x) b"],
  ["vector(1) + on (x) vector(2)"],
  [
    "sum by (x) (sum by (y) (a))",
    "0.expr promql/impossible sum by (x) (sum by (y) (a)): sum by (x): what it aggregates cannot have the label x",
  ],
  ["sum by (x) (sum by (x, y) (a))"],
  [
    "sum by (x) (max without (x) (a))",
    "0.expr promql/impossible sum by (x) (max without (x) (a)): sum by (x): what it aggregates cannot have the label x",
  ],
  ["sum by (x) (topk(5, sum by (x) (a)))"],
  ["sum by (x) (sum by (y) (a) * on (y) group_left (x) b)"],
  ["sum by (__name__) (a)"],
  ["sum by (x) (sum(a) or sum by (x) (b))"],
  ["sum by (x) (info(sum by (y) (a)))"],

  ["count(a) == 0", `0.expr promql/impossible count(a) == 0: is never true: ${count}`],
  ["count by (x) (a) < 1", `0.expr promql/impossible count by (x) (a) < 1: is never true: ${count}`],
  ["count(a) <= 1"],
  ["count(a) <= 0", `0.expr promql/impossible count(a) <= 0: is never true: ${count}`],
  ["present_over_time(a[5m]) == 0", "0.expr promql/impossible present_over_time(a[5m]) == 0: is never true"],
  ["count(a) != 5"],
  [
    "0 >= count_over_time(a[5m])",
    "0.expr promql/impossible 0 >= count_over_time(a[5m]): is never true: count_over_time of nothing has no result, and not 0; use absent()",
  ],
  ["(count(a) or vector(0)) == 0"],
  ["count(a) == bool 0"],
  ["absent(a) == 0", "0.expr promql/impossible absent(a) == 0: is never true: absent() has the value 1, or no result"],
  ["absent(a) == 1"],
  ["vector(1) > 2", "0.expr promql/impossible vector(1) > 2: is never true"],
  ["vector(1) != 2"],

  ['a{x=~"foo"}', '0.expr promql/regexp a{x=~"foo"}: x=~"foo" has no pattern: write x="foo"'],
  [
    'a{x!~"foo\\\\.bar"}',
    '0.expr promql/regexp a{x!~"foo\\\\.bar"}: x!~"foo\\\\.bar" has no pattern: write x!="foo.bar"',
  ],
  ['a{x=~""}', '0.expr promql/regexp a{x=~""}: x=~"" has no pattern: write x=""'],
  ['a{x=~"foo|bar"}'],
  ['a{x=~"foo.bar"}'],
  ['a{x=~"(?i:foo)"}'],
  ['a{x=~"^foo.*"}', '0.expr promql/regexp a{x=~"^foo.*"}: x=~"^foo.*" is anchored anyway: remove ^ and $'],
  ['a{x=~"foo.*$"}', '0.expr promql/regexp a{x=~"foo.*$"}: x=~"foo.*$" is anchored anyway: remove ^ and $'],
  ['a{x=~".+"}'],
  ['a{x=~".*foo"}'],
  ['a{x=~".*foo.*"}'],
  ['a{x=~"^foo$|bar"}'],
  [
    'a{x=~"shop-.+-production"}',
    '0.expr promql/regexp a{x=~"shop-.+-production"}: x=~"shop-.+-production" takes a value apart: give what it joins labels of their own, and match those',
  ],
  ['a{x=~"shop-.+"}'],
  ['a{x=~"/var/lib-.+-x/y"}'],
]
for (const [expr, ...findings] of EXPRESSIONS)
  test(`finds in ${expr}`, () => assert.deepEqual(lintRecord(expr), findings))
