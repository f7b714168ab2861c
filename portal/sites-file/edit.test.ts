import assert from "node:assert/strict"
import { test } from "node:test"
import { parse } from "yaml"
import { type Change, edit } from "./edit.ts"

const FILE = `# The sites of the north.
sites:
  # one
  - name: a # the first
    url: https://a.example.org
    labels:
      # where
      location: A   # city
    interval: 30s # often
    # end of a

  # two
  - {name: b, url: 'https://b.example.org', token: {file: b},}
  - paused: true  # why
    # then
    name: c
limits: { series: 5 }   # of all
`

/** What becomes of the file, by the lines that are not there any more and those that are new. */
function difference(change: Change, text = FILE): string {
  const [before, after] = [text.split("\n"), edit(text, change).split("\n")]
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}\n`)
  return [...gone, ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}\n`)].join("")
}

test("changes keys of an entry, and leaves comments, order and spelling of all else", () => {
  const keys = { interval: "1m", labels: { location: "B", n: 1 }, paused: { by: "ada", why: "x, y" }, limits: null }
  assert.equal(
    edit(FILE, { kind: "set", name: "a", keys }),
    `# The sites of the north.
sites:
  # one
  - name: a # the first
    url: https://a.example.org
    labels:
      # where
      {location: B, n: 1}   # city
    interval: 1m # often
    paused: {by: ada, why: "x, y"}
    # end of a

  # two
  - {name: b, url: 'https://b.example.org', token: {file: b},}
  - paused: true  # why
    # then
    name: c
limits: { series: 5 }   # of all
`,
  )
})

test("changes an entry that stands in one line", () => {
  assert.equal(
    difference({ kind: "set", name: "b", keys: { token: null, paused: true, match: ['{a="b, c"}'] } }),
    `-   - {name: b, url: 'https://b.example.org', token: {file: b},}
+   - {name: b, url: 'https://b.example.org', paused: true, match: ['{a="b, c"}'],}
`,
  )
})

test("removes keys, also the first of an entry", () => {
  assert.equal(difference({ kind: "set", name: "a", keys: { interval: null } }), "-     interval: 30s # often\n")
  assert.equal(
    difference({ kind: "set", name: "c", keys: { paused: null } }),
    "-   - paused: true  # why\n+   -   # why\n",
  )
  assert.deepEqual(parse(edit(FILE, { kind: "set", name: "c", keys: { paused: null } })).sites[2], { name: "c" })
})

test("adds an entry at the end of the list, as the list is written", () => {
  const change: Change = { kind: "add", name: "d", entry: { name: "d", url: "https://d", labels: { l: "10" } } }
  const block = `+   - name: d
+     url: https://d
+     labels: {l: "10"}
`
  assert.equal(difference(change), block)
  const cases = [
    ["", 'sites:\n  - name: d\n    url: https://d\n    labels: {l: "10"}\n'],
    ["sites:\n  # - name: a\n", 'sites:\n  - name: d\n    url: https://d\n    labels: {l: "10"}\n  # - name: a\n'],
    ["sites: []\n", 'sites: [{name: d, url: https://d, labels: {l: "10"}}]\n'],
    ["sites: ~ # none\n", 'sites: [{name: d, url: https://d, labels: {l: "10"}}] # none\n'],
    ["{sites: [{name: a}]}", '{sites: [{name: a}, {name: d, url: https://d, labels: {l: "10"}}]}'],
    ["limits: {}", 'limits: {}\nsites:\n  - name: d\n    url: https://d\n    labels: {l: "10"}'],
    ["sites:\n- name: a", 'sites:\n- name: a\n- name: d\n  url: https://d\n  labels: {l: "10"}'],
    ["sites:\r\n- name: a\r\n", 'sites:\r\n- name: a\r\n- name: d\r\n  url: https://d\r\n  labels: {l: "10"}\r\n'],
  ] as const
  for (const [text, expected] of cases) assert.equal(edit(text, change), expected)
})

test("removes an entry with the comments in it, and keeps those before it", () => {
  assert.equal(
    edit(FILE, { kind: "remove", name: "a" }),
    `# The sites of the north.
sites:
  # one

  # two
  - {name: b, url: 'https://b.example.org', token: {file: b},}
  - paused: true  # why
    # then
    name: c
limits: { series: 5 }   # of all
`,
  )
  assert.equal(edit("sites: [{name: a}, {name: b}]", { kind: "remove", name: "b" }), "sites: [{name: a}]")
  assert.equal(edit("sites:\n  - name: a\n", { kind: "remove", name: "a" }), "sites:\n")
})

test("values are one line, and nothing in them becomes YAML", () => {
  for (const why of [
    "a: b",
    "x # y",
    "- x",
    "*a",
    "!x",
    "}, {name: evil",
    "'\"",
    "a\nb: c",
    "\u0007\u2028",
    "~",
    "010",
    "é".repeat(300),
  ]) {
    const text = edit("sites:\n  - name: a\n", { kind: "set", name: "a", keys: { paused: { why } } })
    assert.equal(text.split("\n").length, 4, why)
    assert.deepEqual(parse(text), { sites: [{ name: "a", paused: { why } }] })
  }
})

test("refuses what it would have to guess, and names the site", () => {
  const set: Change = { kind: "set", name: "a", keys: { labels: { z: "1" } } }
  const cases: readonly (readonly [text: string, change: Change, message: string])[] = [
    [FILE, { kind: "remove", name: "x" }, "No site called x is listed in sites.yaml."],
    [
      FILE,
      { kind: "add", name: "a", entry: { name: "a" } },
      "A site called a is listed already: change it, or give this one another name.",
    ],
    [
      "x: &a {name: a}\nsites:\n  - *a\n",
      set,
      "a cannot be changed here, as its entry is an alias: edit sites.yaml by hand. Nothing was changed.",
    ],
    [
      "sites:\n  - {name: a, labels: &l {x: y}}\n  - {name: b, labels: *l}\n",
      set,
      "a cannot be changed here, as it is written in a way that only people can change: edit sites.yaml by hand. Nothing was changed.",
    ],
    [
      "sites:\n  - {name: a, labels: &l {x: y}}\n  - {name: b, labels: *l}\n",
      { kind: "remove", name: "a" },
      "a cannot be changed here, as it is written in a way that only people can change: edit sites.yaml by hand. Nothing was changed.",
    ],
  ]
  for (const [text, change, message] of cases) assert.throws(() => edit(text, change), { message })
})

test("is equal to the text where all is so already", () => {
  assert.equal(edit(FILE, { kind: "set", name: "a", keys: { interval: "30s", paused: null } }), FILE)
})
