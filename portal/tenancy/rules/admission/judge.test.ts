import assert from "node:assert/strict"
import { test } from "node:test"
import { judge, type Verdict } from "./judge.ts"
import { readReview } from "./review.ts"
import { group, judging, resource, review } from "./testing.ts"

const verdictOn = (request: object, signal = new AbortController().signal): Promise<Verdict> =>
  judge(readReview(JSON.stringify(review(request))), judging, signal)

const GOOD = [group("a", "up == 0")]
const BAD = [group("a", "up == 0", "bad"), group("b", "bad"), group("c", "odd", "dull")]
const DULL = `group "c" rules[1].expr (alert "Is dull"): fires always ${"!".repeat(300)}`

test("allows a resource whose groups are valid", async () => {
  assert.deepEqual(await verdictOn({ object: resource(GOOD) }), { outcome: "allowed", warnings: [] })
  assert.deepEqual(await verdictOn({ object: { spec: { tenants: ["red"] } } }), { outcome: "allowed", warnings: [] })
})

test("denies with the place and the text of all problems, and warns of the rest", async () => {
  assert.deepEqual(await verdictOn({ object: resource(BAD) }), {
    outcome: "denied",
    message:
      '2 problems for cortex-1.21:\n  group "a" rules[1].expr (alert "Is bad"), character 2: unexpected d\n  group "b" rules[0].expr (alert "Is bad"), character 2: unexpected d',
    warnings: [
      'not checked: group "c" rules[0].expr (alert "Is odd"): chains of 650 operators',
      `${DULL.slice(0, 253)}…`,
    ],
  })
})

test("denies what is no list of groups, no group, a second group of a name, and tenants that are none", async () => {
  const messageOf = async (spec: object) => (await verdictOn({ object: { spec } })).message
  assert.equal(
    await messageOf({ tenants: ["a|b"], groups: {} }),
    `2 problems for cortex-1.21:\n  spec.tenants[0] must consist of letters, digits and !-_.*'() (has "|") (is "a|b")\n  spec.groups must be a list`,
  )
  assert.equal(
    await messageOf({ tenants: [], groups: [group("a"), null, group("a\n\u202e")].concat(group("a")) }),
    '2 problems for cortex-1.21:\n  groups[3] has the name "a", as groups[0] has\n  groups[1]: must be a map',
  )
})

test("names 20 problems and counts the others, and warns 15 times at most", async () => {
  const { message = "", warnings } = await verdictOn({
    object: resource([group("a", ...Array.from({ length: 1000 }, (_, index) => (index % 2 ? "bad" : "odd")))]),
  })
  const lines = message.split("\n")
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [22, "500 problems for cortex-1.21:", "  and 480 more"])
  assert.deepEqual([warnings.length, warnings.at(-1)], [15, "and 486 more"])
})

test("counts as many problems as a resource can have", async () => {
  const request = readReview(JSON.stringify(review({ object: resource([group("a")]) })))
  const bad = { severity: "error", check: "schema", path: [], message: "must be a rule" } as const
  const many = {
    ...judging,
    validate: function* () {
      yield
      return { problems: Array.from({ length: 250_000 }, () => bad) }
    },
  }
  const { message = "" } = await judge(request, many, new AbortController().signal)
  assert.deepEqual(message.split("\n")[0], "250000 problems for cortex-1.21:")
})

test("lets others work between any two groups of several reviews", async () => {
  const seen: string[] = []
  const watched = { ...judging, validate: (one: unknown) => (seen.push("group"), judging.validate(one)) }
  const request = readReview(JSON.stringify(review({ object: resource(GOOD) })))
  let isDone = false
  const work = (): void => {
    seen.push("other")
    if (!isDone) setImmediate(work)
  }
  setImmediate(work)
  await Promise.all([1, 2, 3].map(() => judge(request, watched, new AbortController().signal)))
  isDone = true
  const groups = seen.flatMap((one, index) => (one === "group" ? [seen[index + 1]] : []))
  assert.deepEqual(groups.slice(0, 2), ["other", "other"])
})

test("lets others work between rules of one group that take long", async () => {
  const seen: string[] = []
  const slow: typeof judging.validate = function* () {
    for (let rule = 0; rule < 3; rule++) {
      const end = performance.now() + 6 // more than a slice
      while (performance.now() < end);
      seen.push("rule")
      setImmediate(() => seen.push("other"))
      yield
    }
    return { problems: [] }
  }
  const request = readReview(JSON.stringify(review({ object: resource([group("a")]) })))
  await judge(request, { ...judging, validate: slow }, new AbortController().signal)
  assert.deepEqual(seen, ["rule", "other", "rule", "other", "rule", "other"])
})

test("allows what was not checked to the end in time", async () => {
  const stopping = new AbortController()
  const endless: typeof judging.validate = function* () {
    for (let rule = 0; ; rule++) {
      if (rule === 10) stopping.abort()
      yield
    }
  }
  const request = readReview(JSON.stringify(review({ object: resource([group("a")]) })))
  assert.equal((await judge(request, { ...judging, validate: endless }, stopping.signal)).outcome, "unfinished")
})

test("denies groups of more than 512 KiB", async () => {
  const { outcome, message } = await verdictOn({ object: resource([group("a", "x".repeat(512 * 1024))]) })
  assert.equal(outcome, "denied")
  assert.match(
    message ?? "",
    /^1 problem for cortex-1.21:\n {2}spec.groups is \d+ bytes as JSON, and 524288 are accepted/,
  )
})

const old = resource(BAD)
const skipped: Readonly<Record<string, object>> = {
  "an update of metadata and status": {
    object: { ...resource(BAD, { labels: { a: "b" } }), status: {} },
    oldObject: old,
  },
  "the removal of finalizers": {
    object: resource(BAD),
    oldObject: resource(BAD, { finalizers: ["fedstack.dev/rules"] }),
  },
  "an update of a resource that is being deleted": {
    object: resource([group("a", "bad")], { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    oldObject: old,
  },
  "an update of the status": { object: resource(BAD), oldObject: resource(GOOD), subResource: "status" },
  "a deletion": { operation: "DELETE", object: null, oldObject: old },
  "a connection": { operation: "CONNECT", object: resource(BAD) },
}
for (const [what, request] of Object.entries(skipped))
  test(`allows ${what}, whatever the groups are`, async () => {
    const given = { operation: "UPDATE", ...request }
    assert.deepEqual(await verdictOn(given), { outcome: "skipped", warnings: [] })
  })

test("denies an update that makes a valid resource invalid, and one that leaves it so with other groups", async () => {
  for (const oldObject of [resource(GOOD), resource([group("a", "bad")])])
    assert.equal((await verdictOn({ operation: "UPDATE", object: resource(BAD), oldObject })).outcome, "denied")
})

test("allows a resource that follows a ruler, and what was not checked in time, with a warning", async () => {
  const mirror = resource(BAD, { annotations: { "fedstack.dev/direction": "ruler" } })
  assert.equal((await verdictOn({ object: mirror })).outcome, "allowed")
  const late = resource([group("a"), group("a")], { annotations: { "fedstack.dev/direction": "ruler" } })
  assert.equal((await verdictOn({ object: late }, AbortSignal.abort())).outcome, "unfinished")
  assert.equal((await verdictOn({ object: { ...late, metadata: {} } }, AbortSignal.abort())).outcome, "denied")
  assert.deepEqual(await verdictOn({ object: resource(BAD) }, AbortSignal.abort()), {
    outcome: "unfinished",
    warnings: [
      "not checked: there was no time to check the last 3 groups; the status of the resource will say what is wrong",
    ],
  })
})
