import assert from "node:assert/strict"
import { test } from "node:test"
import { parse, stringify } from "yaml"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import type { RuleGroup } from "../model/group.ts"
import { randomGroup, randomName } from "../model/random-group.testing.ts"
import { sameGroup } from "../model/same-group.ts"
import { Unreadable } from "./read-group.ts"
import { createReadListing } from "./read-listing.ts"
import { splitGroups } from "./split-groups.ts"

const read = (text: string) => createReadListing()(Buffer.from(text))
const RULE = "      rules:\n        - record: a\n          expr: up\n"

test("reads random groups as YAML does, whether it can cut the listing into groups or not", async (t) => {
  const random = seeded(seedOf(t))
  let cut = 0
  for (let round = 0; round < 100; round++) {
    const namespaces = Array.from({ length: 1 + random.below(3) }, (_, index) => [
      randomName(random, `${"long ".repeat(random.below(2) * 30)}${index}`),
      Array.from({ length: 1 + random.below(3) }, (__, at) => randomGroup(random, randomName(random, String(at)))),
    ])
    const indent = 2 + random.below(3)
    const listing = stringify(Object.fromEntries(namespaces), { indent, lineWidth: random.pick([0, 60]) })
    const value = parse(listing) as Readonly<Record<string, readonly RuleGroup[]>>
    if (/[\u2028\u2029]/.test(listing)) continue
    if (splitGroups(Buffer.from(listing)) !== undefined) cut++
    const held = await read(listing)
    assert.deepEqual([...held.keys()], Object.keys(value))
    for (const [namespace, groups] of Object.entries(value))
      for (const group of groups) {
        const one = held.get(namespace)?.get(group.name)
        assert.ok(one !== undefined && sameGroup(one, group), listing)
      }
  }
  t.diagnostic(`${cut} of 100 listings were cut`)
  assert.ok(cut > 0)
})

test("groups with the same text are the same value in every tenant and namespace", async () => {
  const readListing = createReadListing()
  const group = `    - name: one\n${RULE}`
  const [a, b] = [
    await readListing(Buffer.from(`x:\n${group}`)),
    await readListing(Buffer.from(`w:\n    - name: other\n${RULE}x:\n${group}"y: z":\n${group}`)),
  ]
  const one = a.get("x")?.get("one")
  assert.deepEqual(one, { name: "one", rules: [{ record: "a", expr: "up" }] })
  assert.equal(b.get("x")?.get("one"), one)
  assert.equal(b.get("y: z")?.get("one"), one)
})

test("keeps the fields that it does not know, and takes no text for a number or a truth value", async () => {
  const text = `ns:\n    - name: "1"\n      limit: -5\n      align_evaluation_time_on_interval: true\n      source_tenants:\n        - "2"\n      new: {a: [1]}\n      rules:\n        - alert: yes\n          expr: 1\n          labels: {n: null, d: 2001-01-01}\n          other: x\n`
  assert.deepEqual((await read(text)).get("ns")?.get("1"), {
    ...{ name: "1", limit: -5, align_evaluation_time_on_interval: true, source_tenants: ["2"], new: { a: ["1"] } },
    rules: [{ alert: "yes", expr: "1", labels: { n: "null", d: "2001-01-01" }, other: "x" }],
  })
})

const UNREADABLE: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["a line feed", "\n"],
  ["null", "null\n"],
  ["a list", `- name: a\n${RULE}`],
  ["a text", "Sign in\n"],
  ["a page", "<html>\n<body>: x</body>\n"],
  ["no line feed at the end", `ns:\n    - name: a\n${RULE.trimEnd()}`],
  ["a namespace without groups", "ns:\n"],
  ["a group without rules", "ns:\n    - name: a\n"],
  ["a group without a name", `ns:\n    -\n${RULE}`],
  ["a rule without an expression", "ns:\n    - name: a\n      rules:\n        - record: a\n"],
  ["a rule without a name", "ns:\n    - name: a\n      rules:\n        - expr: a\n"],
  ["a namespace twice", `ns:\n    - name: a\n${RULE}ns:\n    - name: b\n${RULE}`],
  ["a group twice", `ns:\n    - name: a\n${RULE}    - name: a\n${RULE}`],
  ["a limit that is no number", `ns:\n    - name: a\n      limit: many\n${RULE}`],
  ["a second document", `ns:\n    - name: a\n${RULE}---\nns2: []\n`],
  ["an alias bomb", `ns:\n    - name: a\n      x: &x [${"y,".repeat(99)}]\n      z: [${"*x,".repeat(999)}]\n${RULE}`],
]
for (const [what, text] of UNREADABLE) test(`is no listing: ${what}`, () => assert.rejects(read(text), Unreadable))

test("an empty map is a tenant without groups", async () => {
  assert.deepEqual(await read("{}\n"), new Map())
})
