import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { authorize, authorizeSoon, explainRefusal } from "./authorize.ts"
import { clientOf } from "./policy/testing.ts"
import type { Client } from "./policy/types.ts"

/** What is asked upstream and by which rules, or why not. */
function decide(client: Client, ...asked: readonly string[]): readonly (readonly string[])[] | string {
  const decision = authorize(client, asked.map(parseSelector))
  if (!decision.allowed) return `${printSelector(decision.selector)}: ${decision.reason}`
  return [decision.selectors.map(printSelector), decision.by.map(({ where }) => where)]
}

const USAGE = clientOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}', 'up{job="project_usages"}'])

const DECISIONS: readonly (readonly [asked: readonly string[], decision: ReturnType<typeof decide>])[] = [
  [
    ['up{job="project_usages"}', 'project_vcpu_usage{job="project_usages",x!="y"}'],
    [
      ['{__name__="project_vcpu_usage",job="project_usages",x!="y"}', '{__name__="up",job="project_usages"}'],
      ["match[1]", "match[0]"],
    ],
  ],
  [
    ['{__name__=~"project_(vcpu|mb)_usage",job="project_usages"}'],
    [['{__name__=~"project_(vcpu|mb)_usage",job="project_usages"}'], ["match[0]"]],
  ],
  [
    ['{__name__=~"project_.*",job="project_usages"}'],
    '{__name__=~"project_.*",job="project_usages"}: its __name__ may be "project_"',
  ],
  [["up"], '{__name__="up"}: its __name__ may be "up"'],
  [['{job="project_usages"}'], '{job="project_usages"}: it does not say which __name__'],
  [['up{job=~"project_usages|"}'], '{__name__="up",job=~"project_usages|"}: its __name__ may be "up"'],
  [['up{job="project_usages"}', "down"], '{__name__="down"}: its __name__ may be "down"'],
]
for (const [asked, decision] of DECISIONS) {
  test(`decides about ${asked.join(" and ")}`, () => assert.deepEqual(decide(USAGE, ...asked), decision))
}

test("says why an expression that can't be compared is refused", () => {
  const asked = '{__name__=~"project_(.{1000}){1000}_usage",job="project_usages"}'
  assert.match(String(decide(USAGE, asked)), /invalid repeat count$/)
})

test("nothing shared is nothing allowed", () =>
  assert.equal(decide(clientOf("portal", []), "up"), '{__name__="up"}: nothing is shared'))

const ENFORCED = clientOf("portal", ['{job="a"}', '{job="b",x=~"y.*"}'], true)

test("adds the shared matchers to what is asked, one selector for each", () => {
  const upstream = ['{__name__="up",job="a"}', '{__name__="up",job="b",x=~"y.*"}']
  assert.deepEqual(decide(ENFORCED, "up"), [upstream, ["match[0]", "match[1]"]])
})

test("adds nothing to what is contained already, and asks for equal ones once", () => {
  assert.deepEqual(decide(ENFORCED, 'up{job="a"}', 'up{job="a",job="a"}'), [['{__name__="up",job="a"}'], ["match[0]"]])
})

test("refuses an expression that Prometheus would refuse, also where matchers are added", () => {
  assert.match(String(decide(ENFORCED, 'up{x=~"("}')), /x=~"\("/)
})

test("nothing shared is nothing allowed, also where matchers would be added", () =>
  assert.equal(decide(clientOf("portal", [], true), "up"), '{__name__="up"}: nothing is shared'))

test("refuses a product of too many selectors", () => {
  const many = clientOf(
    "portal",
    Array.from({ length: 100 }, (_, index) => `{job="${index}"}`),
    true,
  )
  assert.match(String(decide(many, "a", "b", "c")), /300 selectors would be asked; 256 at most$/)
})

test("explains for each shared selector why it does not cover a request", () => {
  const reasons = explainRefusal(USAGE, parseSelector('up{job="other"}'))
  assert.deepEqual(
    reasons.map(({ shared, reason }) => `${shared.where}: ${reason}`),
    ['match[0]: its __name__ may be "up"', 'match[1]: its job may be "other"'],
  )
})

const LONG_LIST = `{job="project_usages",__name__=~"project_(${"vcpu|".repeat(200)}mb)_usage"}`

test("leaves what takes work to others, once for all who ask the same at a time", async () => {
  const client = clientOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}'])
  const left: string[] = []
  const elsewhere = async (_: Client, selector: Selector) => {
    left.push(printSelector(selector))
    await Promise.resolve()
    return 0
  }
  const soon = (...asked: readonly string[]) => authorizeSoon(client, asked.map(parseSelector), elsewhere)
  assert.ok(!(soon('project_vcpu_usage{job="project_usages"}') instanceof Promise))
  const decisions = await Promise.all([soon(LONG_LIST), soon(LONG_LIST, 'project_mb_usage{job="project_usages"}')])
  assert.deepEqual(
    decisions.map(({ allowed }) => allowed),
    [true, true],
  )
  assert.deepEqual(left, [printSelector(parseSelector(LONG_LIST))])
  assert.ok(!(soon(LONG_LIST) instanceof Promise), "it is known now")
})

for (const verdict of [undefined, 1, -2, Number.NaN]) {
  test(`allows nothing where the answer from elsewhere is ${verdict}, which is no verdict`, async () => {
    const client = clientOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}'])
    const elsewhere = () => Promise.resolve(verdict as number)
    const soon = async () => authorizeSoon(client, [parseSelector(LONG_LIST)], elsewhere)
    await assert.rejects(soon, /no verdict/)
    await assert.rejects(soon, /no verdict/, "and keeps nothing of it")
  })
}

test("a decision that was kept is the same as a new one, and never one of another client", () => {
  const values = ["a", "b", "ab", ""]
  const matcher = fc
    .tuple(fc.constantFrom("x", "y"), fc.constantFrom("=", "!=", "=~", "!~"), fc.constantFrom(...values, "a.*", ".+"))
    .map(([label, op, value]) => `${label}${op}"${value}"`)
  const selector = fc.array(matcher, { minLength: 1, maxLength: 3 }).map((all) => `{${all.join(",")}}`)
  fc.assert(
    fc.property(fc.array(selector, { minLength: 1, maxLength: 3 }), selector, fc.boolean(), (match, asked, enforce) => {
      const client = clientOf("portal", match, enforce)
      const first = decide(client, asked)
      assert.deepEqual(decide(client, asked), first)
      assert.deepEqual(decide(clientOf("portal", match, enforce), asked), first)
    }),
  )
})
