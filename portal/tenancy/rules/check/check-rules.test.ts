import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { runCheck, runCheckOf } from "./testing.ts"

const EXAMPLES = join(import.meta.dirname, "testdata/examples")
const LAUNCHER = join(import.meta.dirname, "../../../../bin/fedstack")

const names = readdirSync(EXAMPLES).filter((name) => !name.endsWith(".txt"))
for (const name of names)
  test(`prints of ${name} what ${name}.txt holds`, async () => {
    const { status, output } = await runCheckOf([join(EXAMPLES, name)], {}, EXAMPLES)
    assert.equal(`${output}status ${status}\n`, readFileSync(join(EXAMPLES, `${name}.txt`), "utf8"))
  })

const RULES = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n"
const TWICE = "groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: down}]}]\n"
const FINDING =
  'twice.yaml:1:51: lint: group "g", rules[1]: "a" has the labels of rules[0]; where the results of both have the same labels, one is lost: change its name or a label [rule/duplicate]\n'

test("what is missing at the end of an expression is missing behind its last word, in every style", async (t) => {
  const styles = [
    ["expr: |", "  sum(up", ""],
    ["expr: >", "  sum(", "  up", "", ""],
    ["expr: 'sum(up  '"],
    ['expr: "sum(\\x75p \\n"'],
    ["expr: sum(up   # all"],
  ]
  const places = [
    [6, 17],
    [7, 13],
    [5, 22],
    [5, 25],
    [5, 21],
  ]
  for (const [index, style] of styles.entries()) {
    for (const end of ["\n", "\r\n"]) {
      const lines = [
        "groups:",
        "  - name: g",
        "    rules:",
        "      - record: a",
        ...style.map((one) => `        ${one}`),
      ]
      const file = [...lines, "      - record: b", "        expr: up", ""].join(end)
      const { output } = await runCheck(t, { "a.yaml": file })
      const place = places[index]?.join(":")
      const line = `a.yaml:${place}: error: group "g", rules[0].expr: unexpected end, ) is missing`
      assert.equal(output.split("\n")[0], line, style.join("/"))
    }
  }
})

test("adds up what all files hold", async (t) => {
  assert.deepEqual(await runCheck(t, { "a.yaml": RULES, "twice.yaml": TWICE, "c.yaml": "# nothing yet\n" }), {
    status: 0,
    output: `${FINDING}c.yaml: warning: is empty: there is nothing to check\n3 files, 2 groups, 3 rules: valid for Prometheus 3.5, 1 warning, 1 lint finding\n`,
  })
})

test("ends with 3 for findings where they are fatal, and with 1 where there is an error, too", async (t) => {
  const summary = "valid for Prometheus 3.5, 1 lint finding\n"
  assert.deepEqual(await runCheck(t, { "twice.yaml": TWICE }, { lintFatal: true }), {
    status: 3,
    output: `${FINDING}fedstack: 1 file, 1 group, 2 rules: ${summary}`,
  })
  assert.deepEqual(await runCheck(t, { "twice.yaml": TWICE, "b.yaml": "groups: 1" }, { lintFatal: true }), {
    status: 1,
    output: `${FINDING}b.yaml:1:1: error: groups: must be a list of groups\nfedstack: 2 files, 1 group, 2 rules: in${summary.replace(",", ", 1 error,")}`,
  })
})

test("says of each file that cannot be read why, and checks the others", async (t) => {
  const folder = temporaryFolder(t)
  const latin = await folder.write("latin.yaml", "")
  await folder.write("sub/a.yaml", RULES)
  writeFileSync(latin, Buffer.from("groups: [] # \xff", "latin1"))
  const paths = [latin, join(folder.path, "sub/"), join(folder.path, "none.yaml"), join(folder.path, "sub/a.yaml")]
  assert.deepEqual(await runCheckOf(paths, {}, folder.path), {
    status: 1,
    output: [
      "latin.yaml: error: cannot be read: it is not UTF-8; save it in this encoding",
      "sub/: error: is a folder; name the files in it, such as sub/*.yaml",
      "none.yaml: error: cannot be read: ENOENT: no such file or directory",
      "fedstack: 4 files, 1 group, 1 rule: invalid for Prometheus 3.5, 3 errors\n",
    ].join("\n"),
  })
})

test("says one thing of what is too deep, too large or too long", async (t) => {
  const ofRule = (fields: string): string => `groups: [{name: g, rules: [{${fields}}]}]`
  const files = {
    "deep.yaml": `groups: ${"[".repeat(100_000)}`,
    "large.yaml": ofRule(`alert: A, expr: up == 0, annotations: {a: ${"a".repeat(1_000_000)}}`),
    "long.yaml": ofRule(`record: a, expr: a${" + a".repeat(30_000)}`),
  }
  const { status, output } = await runCheck(t, files, { target: "mimir" })
  assert.deepEqual(
    [
      status,
      ...output
        .replace(/^deep.yaml:1:\d+/, "deep.yaml")
        .trim()
        .split("\n"),
    ],
    [
      1,
      "deep.yaml: error: is no valid YAML: it is nested too deeply",
      'large.yaml:1:10: error: group "g": has 977 KiB, more than the 512 KiB that are written to a ruler; split it',
      'long.yaml:1:40: not checked: group "g", rules[0].expr: it is longer than 100000 characters',
      "fedstack: 3 files, 2 groups, 2 rules: invalid for Mimir, 2 errors, 1 expression not checked",
    ],
  )
})

test("takes one anchor a thousand times", async (t) => {
  const rules = Array.from({ length: 1000 }, (_, index) => `  - {record: r${index}, expr: up, labels: *a}\n`)
  const file = `groups:\n- name: g\n  rules:\n  - {record: r, expr: up, labels: &a {team: a}}\n${rules.join("")}`
  assert.deepEqual(await runCheck(t, { "a.yaml": file }), {
    status: 0,
    output: "1 file, 1 group, 1001 rules: valid for Prometheus 3.5\n",
  })
})

test("judges by the target and the flags that are given", async (t) => {
  const files = { "a.yaml": "namespace: n\ngroups: [{name: g, limits: 1, rules: [{record: a.b, expr: info(up)}]}]" }
  const wrong = (target: string): string =>
    `a.yaml:2:20: ${target === "Cortex 1.21" ? "warning" : "error"}: group "g", limits: is no field of a group for ${target}`
  const cortex = await runCheck(t, files, {
    target: "cortex-1.21",
    enableFeature: ["utf8-names", "promql-experimental-functions"],
  })
  assert.deepEqual(cortex, {
    status: 0,
    output: `${wrong("Cortex 1.21")} (Did you mean limit?), which drops it without a word; remove it\n1 file, 1 group, 1 rule: valid for Cortex 1.21, 1 warning\n`,
  })
  const { output } = await runCheck(t, files, { target: "prometheus-2.53" })
  assert.deepEqual(
    output.split("\n").map((line) => line.split(": ").slice(0, 3).join(": ")),
    [
      "a.yaml:1:1: error: namespace",
      'a.yaml:2:20: error: group "g", limits',
      'a.yaml:2:40: error: group "g", rules[0].record',
      'a.yaml:2:59: error: group "g", rules[0].expr',
      "fedstack: 1 file, 1 group, 1 rule: invalid for Prometheus 2.53, 4 errors",
      "",
    ],
  )
})

test("reads standard input, and ends with the status as a command", async () => {
  for (const [input, status, stdout, stderr] of [
    [RULES, 0, "1 file, 1 group, 1 rule: valid for Prometheus 3.5\n", ""],
    [
      "groups: 1",
      1,
      "standard input:1:1: error: groups: must be a list of groups\n",
      "fedstack: 1 file, 0 groups, 0 rules: invalid for Prometheus 3.5, 1 error\n",
    ],
    [
      TWICE,
      3,
      FINDING.replace("twice.yaml", "standard input"),
      "fedstack: 1 file, 1 group, 2 rules: valid for Prometheus 3.5, 1 lint finding\n",
    ],
  ] as const) {
    const child = execFile(LAUNCHER, ["check", "rules", "--lint-fatal", "-"])
    child.stdin?.end(input)
    const [out, error, [code]] = await Promise.all([
      text(child.stdout ?? Readable.from([])),
      text(child.stderr ?? Readable.from([])),
      once(child, "close") as Promise<[number]>,
    ])
    assert.deepEqual([code, out, error], [status, stdout, stderr])
  }
})

test("warns where two OpenMetricsRules claim one place at the ruler", async (t) => {
  const resource = (name: string, tenants: string, namespace = "mine"): string =>
    `{apiVersion: open-metrics.vgs.io/v1, kind: OpenMetricsRule, metadata: {name: ${name}, namespace: ${namespace}}, spec: {tenants: ${tenants}, groups: [{name: g, rules: [{record: a, expr: up}]}]}}\n`
  const files = {
    "a.yaml": `${resource("one", "[red, blue, green]")}---\n${resource("one", "[red]")}---\n${resource("two", "[grey, pink]")}`,
    "b.yaml": `${resource("three", "[blue, black, green]")}---\n${resource("four", "[red]", "other")}---\n${resource("five", "[grey]")}`,
  }
  const { status, output } = await runCheck(t, files)
  assert.equal(status, 0)
  assert.deepEqual(output.split("\n"), [
    'b.yaml:1:151: warning: group "g", name: the OpenMetricsRule "one" of a.yaml has a group of this name for tenant blue and 1 more, and the ruler takes one; rename one of them',
    'b.yaml:5:136: warning: group "g", name: the OpenMetricsRule "two" of a.yaml has a group of this name for tenant grey, and the ruler takes one; rename one of them',
    "2 files, 6 groups, 6 rules: valid for Prometheus 3.5, 2 warnings",
    "",
  ])
})

test("reads booleans in Kubernetes objects as kubectl does: in quotes, and as names, they are texts", async (t) => {
  const labels = '{a: No, b: "No", y: on}'
  const file = `{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: a}, spec: {groups: [{name: g, rules: [{record: a, expr: up, labels: ${labels}}]}]}}`
  const { output } = await runCheck(t, { "a.yaml": file })
  assert.deepEqual(output.match(/labels\.\w+: is the boolean \w+/g), [
    "labels.a: is the boolean false",
    "labels.y: is the boolean true",
  ])
})

test("passes over kinds of other groups with a name that begins alike, and what follows a fault", async (t) => {
  const other = "{apiVersion: open-metrics.vgs.io.example.org/v1, kind: OpenMetricsRule, spec: {}}\n"
  const { output } = await runCheck(t, { "a.yaml": `${other}---\n\tb: 1\n---\n\tc: 1\n` })
  assert.deepEqual(output.split("\n").slice(0, -2), [
    'a.yaml:1:1: warning: is ignored: OpenMetricsRule is of open-metrics.vgs.io/v1, not of "open-metrics.vgs.io.example.org/v1"',
    "a.yaml:3:1: error: is no valid YAML: Tabs are not allowed as indentation",
  ])
})

test("refuses names of resources that YAML takes for something else, as the API does", async (t) => {
  const manifest = (metadata: string): string =>
    `{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: ${metadata}, spec: {groups: []}}`
  const { output } = await runCheck(t, {
    "a.yaml": ["{name: a, namespace: on}", "{name: 1}", "{generateName: a}", "{name: a, namespace: null}"]
      .map(manifest)
      .join("\n---\n"),
  })
  assert.deepEqual(output.split("\n").slice(0, -2), [
    "a.yaml:1:82: error: metadata.namespace: must be text, but is the boolean true; put it in quotes",
    "a.yaml:3:73: error: metadata.name: must be text, but is the number 1; put it in quotes",
  ])
})
