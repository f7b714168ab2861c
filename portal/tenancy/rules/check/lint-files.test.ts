import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { runCheck, runCheckOf } from "./testing.ts"

/** Without places of tests' own: the lines of the output, but the summary. */
async function lintLines(t: TestContext, files: Readonly<Record<string, string>>) {
  const { output } = await runCheck(t, files, { lint: true })
  return output.split("\n").slice(0, -2)
}

/** A rule with a finding of alerts/comparison in line 7, one of promql/regexp, and one more rule with both. */
const FILE = `# top
groups:
  - name: g
    rules:
      # above
      - alert: A
        expr: a{x=~"y"} # beside
        labels: {b: c}
      - alert: B
        expr: |
          # within
          b{x=~"y"}
# below
`
const finding = (line: number, column: number, rule: number, check: "regexp" | "comparison") => {
  const name = rule === 0 ? "a" : "b"
  const message =
    check === "regexp"
      ? 'x=~"y" has no pattern: write x="y"'
      : "fires as soon as there are series: compare their values, such as with > 0"
  const full = check === "regexp" ? "promql/regexp" : "alerts/comparison"
  return `f.yaml:${line}:${column}: lint: group "g", rules[${rule}].expr: ${message} (at "${name}{x=~\\"y\\"}") [${full}]`
}
const A = [finding(7, 15, 0, "comparison"), finding(7, 15, 0, "regexp")]
const B = [finding(12, 11, 1, "comparison"), finding(12, 11, 1, "regexp")]

const COMMENTS: readonly (readonly [where: string, comment: string, expected: readonly string[]])[] = [
  ["top", "prose that disables nothing", [...A, ...B]],
  ["above", "fedstack disable promql/regexp", [A[0] ?? "", ...B]],
  ["above", "pint disable promql/regexp", [A[0] ?? "", ...B]],
  ["above", "pint disable promql/regexp(+tag) # pint disable alerts/comparison", B],
  ["beside", "fedstack disable alerts/comparison", [A[1] ?? "", ...B]],
  ["within", "fedstack disable alerts/comparison", [...A, B[1] ?? ""]],
  ["below", "fedstack disable promql/regexp", [...A, B[0] ?? ""]],
  ["top", "fedstack file/disable promql/regexp", [A[0] ?? "", B[0] ?? ""]],
  ["within", "pint file/disable promql/regexp", [A[0] ?? "", B[0] ?? ""]],
  ["above", "pint snooze 2026-02-01 promql/regexp", [A[0] ?? "", ...B]],
  ["above", "pint snooze 2026-01-31 promql/regexp", [...A, ...B]],
  ["top", "fedstack file/snooze 2026-01-31T12:00:01Z promql/regexp", [A[0] ?? "", B[0] ?? ""]],
  ["top", "pint ignore/file", []],
  ["within", "pint ignore/next-line", A],
  ["beside", "pint ignore/line", B],
  ["above", "pint ignore/begin", []],
  ["above", "pint rule/owner bob", [...A, ...B]],
  ["above", "pint disable promql/series", [...A, ...B]],
  [
    "above",
    "pint disable promql/regex",
    [
      'f.yaml:5:7: lint: "promql/regex" is no check that a comment disables (Did you mean promql/regexp?) [comment]',
      ...A,
      ...B,
    ],
  ],
  [
    "above",
    "fedstack disable promql/series",
    ['f.yaml:5:7: lint: "promql/series" is no check that a comment disables [comment]', ...A, ...B],
  ],
  [
    "above",
    "fedstack disable",
    ["f.yaml:5:7: lint: names no check: add one, such as promql/regexp [comment]", ...A, ...B],
  ],
  [
    "above",
    "fedstack disabel promql/regexp",
    ['f.yaml:5:7: lint: "disabel" is no comment of fedstack (Did you mean disable?) [comment]', ...A, ...B],
  ],
  [
    "above",
    "pint snooze tomorrow promql/regexp",
    ['f.yaml:5:7: lint: "tomorrow" is no time: write 2026-01-31 [comment]', ...A, ...B],
  ],
  [
    "top",
    "fedstack disable promql/regexp",
    ["f.yaml:1:1: lint: this comment stands at no rule: write it above one, or file/disable [comment]", ...A, ...B],
  ],
]
for (const [where, comment, expected] of COMMENTS) {
  test(`heeds "${comment}" ${where}`, async (t) => {
    const text = FILE.replace(`# ${where}`, `# ${comment}`)
    assert.deepEqual(await lintLines(t, { "f.yaml": text }), expected)
  })
}

test("a range of ignored lines ends", async (t) => {
  const text = FILE.replace("# above", "# pint ignore/begin").replace("# beside", "# pint ignore/end")
  assert.deepEqual(await lintLines(t, { "f.yaml": text }), B)
})

test("finds nothing that is not asked for, and counts what it finds", async (t) => {
  assert.deepEqual(await runCheck(t, { "f.yaml": FILE }), {
    status: 0,
    output: "1 file, 1 group, 2 rules: valid for Prometheus 3.5\n",
  })
  assert.deepEqual(await runCheck(t, { "f.yaml": FILE }, { lint: true, lintFatal: true }), {
    status: 3,
    output: `${[...A, ...B].join("\n")}\nfedstack: 1 file, 1 group, 2 rules: valid for Prometheus 3.5, 4 lint findings\n`,
  })
})

test("a comment disables what is always found, too", async (t) => {
  const rules = "[{record: a, expr: up},\n    {record: a, expr: up}] # fedstack disable rule/duplicate"
  assert.deepEqual(await runCheck(t, { "f.yaml": `groups:\n- name: g\n  rules: ${rules}\n` }), {
    status: 0,
    output: "1 file, 1 group, 2 rules: valid for Prometheus 3.5\n",
  })
})

test("a comment disables no error", async (t) => {
  const { output } = await runCheck(t, { "f.yaml": `# pint file/disable promql/syntax\n${FILE.replace("a{", "a{{")}` })
  assert.match(output, /^f\.yaml:8:\d+: error: /)
  const ignored = await runCheck(t, { "f.yaml": `# pint ignore/file\n${FILE.replace("a{", "a{{")}` }, { lint: true })
  assert.match(ignored.output, /^f\.yaml:8:\d+: error: /)
})

const resource = (tenant: string, expr: string) =>
  [
    "apiVersion: open-metrics.vgs.io/v1",
    "kind: OpenMetricsRule",
    "metadata: {name: r}",
    `spec: {tenants: [${tenant}], groups: [{name: g, rules: [null, {record: a, expr: '${expr}'}]}]}`,
    "",
  ].join("\n")

test("finds series that two files record for one tenant, at their place among empty entries", async (t) => {
  const empty = (file: string) => `${file}:4:49: warning: group "g", rules[0]: is empty and ignored; remove the dash`
  const twice =
    'b.yaml:4:55: lint: group "g", rules[1]: group "g" of another file or resource records "a" with the same labels; where the results of both have the same labels, one is lost: change a name or label [rule/duplicate]'
  const same = { "a.yaml": resource("t", "up"), "b.yaml": resource("t", "down") }
  assert.deepEqual(await lintLines(t, same), [empty("a.yaml"), empty("b.yaml"), twice])
  const others = { "a.yaml": resource("t", "up"), "b.yaml": resource("u", "down") }
  assert.deepEqual(await lintLines(t, others), [empty("a.yaml"), empty("b.yaml")])
})

const RECORD = "groups: [{name: g, rules: [{record: a, expr: up}, {record: b, expr: sum(a)}]}]\n"
const READER = "groups: [{name: g, rules: [{record: b, expr: sum(a)}, {record: c, expr: max(a)}]}]\n"
async function lintAgainst(t: TestContext, base: string, text: string) {
  const folder = temporaryFolder(t)
  const paths = [await folder.write("new.yaml", text), await folder.write("base.yaml", base)]
  const options = { lint: true, base: [`${folder.path}/base.yaml`] }
  return (await runCheckOf(paths.slice(0, 1), options, folder.path)).output.split("\n").slice(0, -2)
}

test("finds what reads a record that only the base has", async (t) => {
  const gone = '"a" is recorded no more, and read here: keep it, or change this rule (at "a") [rule/dependency]'
  assert.deepEqual(await lintAgainst(t, RECORD, READER), [
    `new.yaml:1:50: lint: group "g", rules[0].expr: ${gone}`,
    `new.yaml:1:77: lint: group "g", rules[1].expr: ${gone}`,
  ])
  assert.deepEqual(await lintAgainst(t, RECORD, RECORD), [])
  assert.deepEqual(await lintAgainst(t, READER, READER), [])
})

test("does not take for gone what has an error", async (t) => {
  const broken = READER.replace("]}]", "]}, {name: h, rules: [{record: a, expr: 'up('}]}]")
  assert.deepEqual(await lintAgainst(t, RECORD, broken), [
    'new.yaml:1:124: error: group "h", rules[0].expr: unexpected end, ) is missing',
  ])
})

test("says nothing of faults in a base, which is replaced", async (t) => {
  assert.deepEqual(await lintAgainst(t, RECORD.replace("sum(a)", "sum("), RECORD), [])
})

test("says where a base cannot be read", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("new.yaml", READER)
  assert.deepEqual(await runCheckOf([file], { lint: true, base: [`${folder.path}/none.yaml`] }, folder.path), {
    status: 1,
    output: [
      "none.yaml: error: cannot be read: ENOENT: no such file or directory",
      "fedstack: 2 files, 1 group, 2 rules: invalid for Prometheus 3.5, 1 error\n",
    ].join("\n"),
  })
})

test("refuses a base that nothing would read", async (t) => {
  await assert.rejects(runCheck(t, { "new.yaml": READER }, { base: ["base.yaml"] }), {
    name: "UsageError",
    message: "--base: is read by --lint alone; add --lint, or remove --base",
  })
})
