import assert from "node:assert/strict"
import { test } from "node:test"
import { NOTHING_YET, playRound } from "../../dev/fuzz/containment-round.ts"
import { seeded } from "../../dev/fuzz/random.ts"
import { seedOf } from "../../dev/testing/seed.ts"
import { compile } from "./compiled.ts"
import { containedInAny, contains, sharesEverything } from "./containment.ts"
import { parseSelector } from "./parse.ts"

/** "yes", the witness as a matcher, or the reason. */
function decide(allowed: string, match: string): string {
  const result = contains(compile(parseSelector(allowed)), compile(parseSelector(match)))
  if (result.kind === "contained") return "yes"
  return result.kind === "undecidable" ? result.reason : `${result.label}=${JSON.stringify(result.witness)}`
}

function table(name: string, rows: readonly (readonly [allowed: string, match: string, expected: string])[]): void {
  test(name, () => {
    assert.deepEqual(
      rows.map(([allowed, match]) => [allowed, match, decide(allowed, match)]),
      rows,
    )
  })
}

table("compares expressions by the words they match, not by their text", [
  ['{__name__=~"project_.*_usage"}', '{__name__=~"project_(vcpu|mb)_usage"}', "yes"],
  ['{__name__=~"project_.*_usage"}', '{__name__=~"project_.*"}', '__name__="project_"'],
  ['{__name__=~"project_.+"}', '{__name__=~"project_.*"}', '__name__="project_"'],
  ['{__name__=~".+"}', '{__name__=~".*"}', '__name__=""'],
  ['{__name__=~"node_.*"}', '{__name__=~"node_cpu_.*|node_mem.+"}', "yes"],
  ['{__name__=~"a|b|c"}', '{__name__=~"[abc]"}', "yes"],
  ['{__name__=~"a|b|c"}', '{__name__=~"[a-d]"}', '__name__="d"'],
  ['{__name__=~"(ab)*"}', '{__name__=~"(abab)*"}', "yes"],
  ['{__name__=~"(abab)*"}', '{__name__=~"(ab)*"}', '__name__="ab"'],
  ['{__name__=~"^node.*$"}', '{__name__=~"node_x"}', "yes"],
  ['{x=~"a\\\\b.*"}', '{x=~"a(-.*)?"}', "yes"],
  ['{x=~"(?i)node"}', '{x=~"NODE|nOde"}', "yes"],
])

table("takes the metric's name in every spelling", [
  ["up", '{__name__="up"}', "yes"],
  ['{__name__=~"up|down"}', "up", "yes"],
  ["up", 'up{job="a"}', "yes"],
  ["up", '{job="a"}', '__name__=""'],
  ['{"my.metric"}', '{"my.metric",job="a"}', "yes"],
])

table("takes a missing label as empty, and negated and repeated matchers as what they leave", [
  ['{x!="a"}', '{y="b"}', 'x="a"'],
  ['{x!="a"}', '{x="b"}', "yes"],
  ['{x!="a"}', '{x=~"b|c"}', "yes"],
  ['{x!="a"}', '{x!~"a|b"}', "yes"],
  ['{x!~"a|b"}', '{x!="a"}', 'x="b"'],
  ['{x=""}', '{y="b"}', 'x="x"'],
  ['{x=""}', '{x="",y="b"}', "yes"],
  ['{x!=""}', '{x=~".+"}', "yes"],
  ['{x=~".+"}', '{x!=""}', 'x="\\n"'], // Prometheus 2 does not let a dot match a newline
  ['{x=~"(?s:.+)"}', '{x!=""}', "yes"],
  ['{x=~"a.*",x=~".*b"}', '{x=~"a.*b"}', "yes"],
  ['{x=~"a.*b"}', '{x=~"a.*",x=~".*b"}', "yes"],
  ['{x=~"a.*b"}', '{x=~"a.*",x!="ab"}', 'x="a"'],
  ['{x=~"a?"}', '{x=~"[ab]*",x!~".*b.*"}', 'x="aa"'],
])

table("lets a selector that selects nothing pass, in one label or by all of its matchers", [
  ["up", '{x="a",x="b"}', "yes"],
  ["up", '{x=~"a+",x=~"b+"}', "yes"],
  ["up", '{x="a",x!="a"}', "yes"],
  ["up", '{x=~"[^\\\\x00-\\\\x{10FFFF}]"}', "yes"],
])

table("refuses with a reason what it can't compare, but knows equal matchers", [
  ['{x=~"\\\\pL+"}', '{x=~"\\\\pL+",y="a"}', "yes"],
  ['{x=~"\\\\pL+"}', '{x="a"}', 'x=~"\\\\pL+" cannot be compared: \\p is not supported: Unicode versions differ'],
  ['{y=~"a+"}', '{x=~"\\\\pL+",y="a"}', "yes"],
  ['{y="b"}', '{x=~"\\\\pL+",y="a"}', 'x=~"\\\\pL+" cannot be compared: \\p is not supported: Unicode versions differ'],
  ["up", 'up{x=~"("}', 'x=~"(" is no expression that Prometheus accepts: missing )'],
  ['{x=~"(.*a.{20}){2}"}', '{x=~".*b.{20}a.*"}', "it is too complex to decide"],
  [
    "up",
    '{x=~"(.{1000}){1000}"}',
    'x=~"(.{1000}){1000}" is no expression that Prometheus accepts: invalid repeat count',
  ],
])

const SPREAD =
  "cannot be compared: both cases of a letter in an expression of several words: versions of Prometheus differ in what it matches"
table("allows of folded letters only what every version matches, and requests what any does", [
  ['{x=~"(?i)node_.*"}', '{x=~"Node_[a-z]+|NODE_.*"}', "yes"],
  ['{x=~"(?i)node_.*"}', '{x=~"(?i)node_cpu.*"}', "yes"],
  ['{x=~"(?i)node_.*"}', '{x=~"(?i)node_.*",y="a"}', "yes"],
  ['{x=~"(?i)kube_.*"}', '{x=~"(?i)kube_pod.*"}', 'x="\u212aube_pod"'],
  ['{x=~"(?i)kube_.*"}', '{x=~"(?i)kube_.*",x=~"[a-zA-Z_]+"}', "yes"],
  ['{x!~"(?i)kube_.*"}', '{x="\u212aube_"}', 'x="\u212aube_"'],
  ['{x=~"[a-z]*|[A-Z]*"}', '{x=~"(?i)a|b"}', `x=~"(?i)a|b" ${SPREAD}`],
  ['{x=~"[aA][bB]|x"}', '{x=~"[aA][bB]|[xX]"}', `x=~"[aA][bB]|[xX]" ${SPREAD}`],
  ['{x=~"[aA]b|x"}', '{x=~"[aA]b"}', "yes"],
  ['{kind=~".*[sS]et|Deployment"}', '{kind=~"Deployment|StatefulSet|DaemonSet"}', "yes"],
])

test("compares long lists of names", () => {
  const names = Array.from({ length: 1000 }, (_, i) => `node_${(i * 7919) % 100_003}_total`)
  const all = `{__name__=~"${names.join("|")}"}`
  const half = `{__name__=~"${names.slice(500).toReversed().join("|")}"}`
  assert.equal(decide(all, half), "yes")
  assert.match(decide(half, all), /^__name__="node_\d+_total"$/)
})

test("decides the same however often it is called", () => {
  const allowed = compile(parseSelector('{x=~"(.*a.{9}|b)*"}'))
  const match = compile(parseSelector('{x=~".*a.{9}b?"}'))
  const first = contains(allowed, match)
  for (let i = 0; i < 5; i++) assert.deepEqual(contains(allowed, match), first)
})

test("takes one of several selectors, and lets all of them together cost no more than one", () => {
  const several = ["up", '{job="node"}', '{job="a"}'].map((text) => compile(parseSelector(text)))
  const decideAmong = (match: string) => containedInAny(several, compile(parseSelector(match)))
  assert.deepEqual(decideAmong('{job="node",x="a"}'), { kind: "contained", index: 1 })
  assert.deepEqual(decideAmong('{job=~"node|a"}'), {
    kind: "refused",
    results: [
      { kind: "not contained", label: "__name__", witness: "" },
      { kind: "not contained", label: "job", witness: "a" },
      { kind: "not contained", label: "job", witness: "node" },
    ],
  })
  const hard = compile(parseSelector('{x=~"(.*a.{20}){2}"}'))
  const result = containedInAny(
    Array.from({ length: 1000 }, () => hard),
    compile(parseSelector('{x=~".*b.{20}a.*"}')),
  )
  assert.equal(result.kind, "refused")
  const easy = compile(parseSelector('{x=~"(.|\\n)*"}'))
  const last = [...Array.from({ length: 10 }, () => hard), easy]
  assert.equal(containedInAny(last, compile(parseSelector('{x=~".*b.{5}a.*"}'))).kind, "contained")
})

test("never shares anything by a selector without matchers", () => {
  const expected = { kind: "undecidable", reason: "a selector without matchers cannot be compared" }
  assert.deepEqual(contains(compile([]), compile(parseSelector("up"))), expected)
  assert.deepEqual(contains(compile(parseSelector("up")), compile([])), expected)
})

test("finds the selectors that share everything", () => {
  const everything = [
    '{__name__=~".+"}',
    '{__name__=~".*",job=~".+"}',
    '{__name__!=""}',
    '{__name__=~"[a-zA-Z_:].*"}',
    '{nosuchlabel=""}',
    '{namespace!="kube-system"}',
    '{job!=""}',
    '{instance=~".+",x=~"\\\\pL*"}',
  ]
  const parts = ["up", '{__name__=~"[a-z].*"}', '{__name__!="up"}', '{job="node"}', '{job!="node"}', '{pod=~".+"}']
  const shares = (selector: string): boolean => sharesEverything(compile(parseSelector(selector)))
  assert.deepEqual(everything.filter(shares), everything)
  assert.deepEqual(parts.filter(shares), [])
})

test("decides 100,000 random pairs as re2js does, each narrower selector and each witness included", (t) => {
  const seed = seedOf(t)
  const random = seeded(seed)
  let tally = NOTHING_YET
  while (tally.decisions < 100_000) tally = playRound(random, tally)
  t.diagnostic(JSON.stringify(tally))
  assert.ok(Math.min(tally.contained, tally.notContained) > 10_000)
})
