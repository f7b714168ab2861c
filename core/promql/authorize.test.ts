import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { parseSelector } from "./parse.ts"
import { printSelector } from "./selector.ts"
import { createAuthorize, type Decision, type Principal } from "./authorize.ts"
import { createCompiler, explainRefusal, judge } from "./judge.ts"
import { principalOf } from "./testing.ts"

const authorize = createAuthorize()

type Decided = readonly (readonly string[])[] | string

async function decide(client: Principal, ...requested: readonly string[]): Promise<Decided> {
  return show(await authorize(client, requested.map(parseSelector)))
}

/** What is requested upstream and by which rules, or why not. */
function show(decision: Decision): Decided {
  if (!decision.allowed) return `${printSelector(decision.selector)}: ${decision.reason}`
  return [decision.selectors.map(printSelector), decision.by.map(({ where }) => where)]
}

const USAGE = principalOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}', 'up{job="project_usages"}'])

const DECISIONS: readonly (readonly [requested: readonly string[], decision: Decided])[] = [
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
    '{__name__=~"project_.*",job="project_usages"}: it selects __name__="project_"',
  ],
  [["up"], '{__name__="up"}: it selects __name__="up"'],
  [['{job="project_usages"}'], '{job="project_usages"}: it does not restrict __name__'],
  [['up{job=~"project_usages|"}'], '{__name__="up",job=~"project_usages|"}: it selects __name__="up"'],
  [['up{job="project_usages"}', "down"], '{__name__="down"}: it selects __name__="down"'],
]
for (const [requested, decision] of DECISIONS) {
  test(`decides about ${requested.join(" and ")}`, async () =>
    assert.deepEqual(await decide(USAGE, ...requested), decision))
}

const compiler = createCompiler()
const NAMED: readonly (readonly [shared: string, requested: string, decision: Decided])[] = [
  ['{__name__!=""}', '{job="node"}', [['{__name__!="",job="node"}'], ["match[0]"]]],
  ['{__name__!=""}', '{job=~"node|"}', [['{__name__!="",job=~"node|"}'], ["match[0]"]]],
  ['{__name__!=""}', '{__name__!="up",job="node"}', [['{__name__!="",__name__!="up",job="node"}'], ["match[0]"]]],
  ['{__name__!=""}', '{__name__=~".*"}', [['{__name__!="",__name__=~".*"}'], ["match[0]"]]],
  ['{__name__!=""}', "up", [['{__name__="up"}'], ["match[0]"]]],
  ['{__name__=~".+"}', '{job="node"}', [['{__name__=~".+",job="node"}'], ["match[0]"]]],
  ['{__name__=~".+",job!=""}', '{job="node"}', [['{__name__=~".+",job="node"}'], ["match[0]"]]],
  ['{__name__!="",job="a"}', '{job=~"a|b"}', '{job=~"a|b"}: it selects job="b"'],
  ['{__name__!="",job="a"}', '{x="y"}', '{x="y"}: it does not restrict job'],
  [
    '{__name__!~"secret_.*|"}',
    '{__name__!~"secret.*"}',
    [['{__name__!~"secret.*",__name__!~"secret_.*|"}'], ["match[0]"]],
  ],
  ['{__name__!~"secret_.*|"}', '{job="a"}', '{job="a"}: it does not restrict __name__'],
  ['{__name__=~"node_.*"}', '{job="node"}', '{job="node"}: it does not restrict __name__'],
  ['{__name__!=""}', '{__name__=""}', '{__name__=""}: it selects series without the label __name__'],
]
for (const [shared, requested, decision] of NAMED) {
  test(`leaves series without a name out of ${requested}, as /federate does, to decide about ${shared}`, async () => {
    assert.deepEqual(await decide(principalOf("portal", [shared]), requested), decision)
    const elsewhere = createAuthorize((principal, selector) => Promise.resolve(judge(principal, selector, compiler)))
    assert.deepEqual(show(await elsewhere(principalOf("portal", [shared]), [parseSelector(requested)])), decision)
  })
}

test("a name of several lines is no reason to refuse, and is requested of none but those that share it", async () => {
  const requested = String.raw`{__name__=~"\\n?"}`
  assert.deepEqual(await decide(principalOf("portal", ['{__name__=~"..*"}']), '{job="node"}'), [
    ['{__name__=~"..*",job="node"}'],
    ["match[0]"],
  ])
  // without such names nothing is left of this request, which any selector contains
  assert.equal(
    await decide(principalOf("portal", ['{__name__!="",job="a"}', '{__name__=~"n.*"}']), requested),
    `${requested}: it selects series without the label __name__`,
  )
})

test("explains a refusal without series that have no name", () =>
  assert.deepEqual(
    explainRefusal(principalOf("portal", ['{__name__!="",job="a"}', "up"]).shared, parseSelector('{job=~"a|b"}')).map(
      ({ reason }) => reason,
    ),
    ['it selects job="b"', "it does not restrict __name__"],
  ))

test("does not add matchers to a request that is shared once series without a name are left out", async () => {
  const enforced = principalOf("portal", ['{__name__!=""}', "up"], true)
  assert.deepEqual(await decide(enforced, '{job="node"}'), [['{__name__!="",job="node"}'], ["match[0]"]])
})

test("gives the reason where an expression that cannot be compared is refused", async () => {
  const requested = '{__name__=~"project_(.{1000}){1000}_usage",job="project_usages"}'
  assert.match(String(await decide(USAGE, requested)), /invalid repeat count$/)
})

test("nothing shared is nothing allowed", async () =>
  assert.equal(await decide(principalOf("portal", []), "up"), '{__name__="up"}: nothing is shared'))

const ENFORCED = principalOf("portal", ['{job="a"}', '{job="b",x=~"y.*"}'], true)

test("adds the shared matchers to what is requested, one selector for each", async () => {
  const upstream = ['{__name__="up",job="a"}', '{__name__="up",job="b",x=~"y.*"}']
  assert.deepEqual(await decide(ENFORCED, "up"), [upstream, ["match[0]", "match[1]"]])
})

test("adds nothing to what is contained already, and requests equal ones once", async () => {
  assert.deepEqual(await decide(ENFORCED, 'up{job="a"}', 'up{job="a",job="a"}'), [
    ['{__name__="up",job="a"}'],
    ["match[0]"],
  ])
})

test("refuses an expression that Prometheus would refuse, also where matchers are added", async () => {
  assert.match(String(await decide(ENFORCED, 'up{x=~"("}')), /x=~"\("/)
})

test("nothing shared is nothing allowed, also where matchers would be added", async () =>
  assert.equal(await decide(principalOf("portal", [], true), "up"), '{__name__="up"}: nothing is shared'))

test("refuses a product of too many selectors", async () => {
  const many = principalOf(
    "portal",
    Array.from({ length: 100 }, (_, index) => `{job="${index}"}`),
    true,
  )
  const requested = ["a", "b", "c"].map(parseSelector)
  assert.equal(
    show(await authorize(many, requested, { most: 299 })),
    `{__name__="c"}: with the shared matchers added, 300 selectors would be requested; 299 at most, the limit selectors`,
  )
  assert.equal((await authorize(many, requested, { most: 300 })).allowed, true)
})

test("multiplies no long list of shared selectors to refuse what it makes", async () => {
  const { shared } = principalOf(
    "portal",
    Array.from({ length: 2000 }, (_, index) => `{job="${index}"}`),
  )
  const known = createAuthorize()
  const client = { name: "portal", shared, enforce: true }
  const expected = "2000 selectors would be requested; 1024 at most, the limit selectors"
  assert.ok(String(show(await known(client, [parseSelector("up")]))).endsWith(expected))
  const read: string[] = []
  const watched = new Proxy(shared, { get: (list, key) => (read.push(String(key)), Reflect.get(list, key) as unknown) })
  const again = show(
    await createAuthorize(() => Promise.resolve(-1))({ ...client, shared: watched }, [parseSelector(LONG_LIST)]),
  )
  assert.ok(String(again).endsWith(expected))
  assert.equal(read.includes("map"), false)
})

test("explains for each shared selector why it does not cover a request", () => {
  const reasons = explainRefusal(USAGE.shared, parseSelector('up{job="other"}'))
  assert.deepEqual(
    reasons.map(({ shared, reason }) => `${shared.where}: ${reason}`),
    ['match[0]: it selects __name__="up"', 'match[1]: it selects job="other"'],
  )
})

const LONG_LIST = `{job="project_usages",__name__=~"project_(${"vcpu|".repeat(200)}mb)_usage"}`

test("leaves what takes work to others, once for all that request the same at a time", async () => {
  const client = principalOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}'])
  const left: string[] = []
  const others = createAuthorize(async (_, selector) => {
    left.push(printSelector(selector))
    await Promise.resolve()
    return 0
  })
  const decideSoon = (...requested: readonly string[]) => others(client, requested.map(parseSelector))
  assert.ok((await decideSoon('project_vcpu_usage{job="project_usages"}')).allowed)
  assert.deepEqual(left, [])
  const decisions = await Promise.all([
    decideSoon(LONG_LIST),
    decideSoon(LONG_LIST, 'project_mb_usage{job="project_usages"}'),
  ])
  assert.deepEqual(
    decisions.map(({ allowed }) => allowed),
    [true, true],
  )
  assert.ok((await decideSoon(LONG_LIST)).allowed, "it is known now")
  assert.deepEqual(left, [printSelector(parseSelector(LONG_LIST))])
})

test("leaves it to others to compare a selector with a list that is too long to keep compiled, unless it stands there", async () => {
  const match = Array.from({ length: 2001 }, (_, index) => `m${index}`)
  const left: string[] = []
  const others = createAuthorize((principal, selector) => {
    left.push(printSelector(selector))
    return Promise.resolve(judge(principal, selector, compiler))
  })
  const requested = ['m7{x="y"}', "m8", "n"]
  for (const client of [principalOf("portal", match), principalOf("short", match.slice(1))])
    for (const one of requested) await others(client, [parseSelector(one)])
  assert.deepEqual(left, ['{__name__="m7",x="y"}', '{__name__="n"}'])
})

for (const verdict of [undefined, 1, -3, 0.5, -1.5, Number.NaN]) {
  test(`allows nothing where the verdict from elsewhere is ${verdict}, which is none`, async () => {
    const client = principalOf("portal", ['{job="project_usages",__name__=~"project_.*_usage"}'])
    const others = createAuthorize(() => Promise.resolve(verdict as number))
    const decideSoon = async () => others(client, [parseSelector(LONG_LIST)])
    await assert.rejects(decideSoon, /no verdict/)
    await assert.rejects(decideSoon, /no verdict/, "and keeps nothing of it")
  })
}

test("a decision that was kept is the same as a new one, and never one of another client", async () => {
  const values = ["a", "b", "ab", ""]
  const matcher = fc
    .tuple(fc.constantFrom("x", "y"), fc.constantFrom("=", "!=", "=~", "!~"), fc.constantFrom(...values, "a.*", ".+"))
    .map(([label, op, value]) => `${label}${op}"${value}"`)
  const selector = fc.array(matcher, { minLength: 1, maxLength: 3 }).map((all) => `{${all.join(",")}}`)
  const lists = fc.array(selector, { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(lists, selector, fc.boolean(), async (match, requested, enforce) => {
      const client = principalOf("portal", match, enforce)
      const first = await decide(client, requested)
      assert.deepEqual(await decide(client, requested), first)
      const other = await createAuthorize()(principalOf("portal", match, enforce), [requested].map(parseSelector))
      assert.deepEqual(show(other), first)
      assert.deepEqual(await decide(principalOf("portal", match, enforce), requested), first)
    }),
  )
})
