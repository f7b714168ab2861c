import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { test, type TestContext } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findPrometheus } from "../../../../dev/testing/prometheus.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { targetOf } from "../validation/targets.ts"
import { checkText } from "./check-file.ts"
import { randomRuleFile } from "./random-groups.testing.ts"
import { CORPUS } from "./testing.ts"

const FILES = 1500

const OF_A_RULE = new Set(["record", "alert", "expr"])

/**
 * What Prometheus 2.53 takes a rule file for: null is the text "null" in these fields, a list or a mapping the empty text.
 * Nobody means that: refused here, as by all later versions.
 */
const asOldPrometheusReads = (text: string): string =>
  JSON.stringify(
    JSON.parse(text, (name, value: unknown) => {
      if (!OF_A_RULE.has(name)) return value
      return value === null ? "null" : typeof value === "object" ? "" : value
    }),
  )

/** Refused here alone: base64, and underscores in numbers, are of YAML 1.1. */
const OF_YAML_1_1 = /!!binary|1_000\}\]/

/** Where readers of YAML differ, and which are right or wrong for both versions. */
const ofRule = (fields: string): string => `groups:\n- name: n\n  rules:\n  - {alert: a, expr: 1, ${fields}}\n`
const YAML = [
  ...[
    "",
    "groups:\n",
    "{}\n",
    "groups: x\n",
    "- name: x\n",
    "abc\n",
    "---\n---\ngroups: [{}]\n",
    "groups: []\n---\n- [\n",
  ],
  ...["\ufeffgroups: []\n", "groups: []\n...\n", "groups: []\n...\njunk: [\n", "%YAML 1.1\n---\ngroups: []\n"],
  ...[
    "groups:\n- name: n\n\trules: []\n",
    'groups:\n- name: "n\x01"\n',
    "groups: [{name: !foo n}]\n",
    "groups: [{name: ~}]\n",
  ],
  ...["0x10", "010", "0o10", "1e3", ".inf", "!!str 5", "99999999999999999999", "-3", "1_000"].map(
    (limit) => `groups: [{name: n, limit: ${limit}}]\n`,
  ),
  ...["5", "yes", "2024-01-02", "!!str 5"].map((name) => `groups: [{name: ${name}}]\n`),
  ...["{<<: null}", "{<<: x}", "{? {a: b} : x}", "{[a]: x}", '{1: x, "1": y}', "{on: x}", "{a: x, a: y}", "{: x}"].map(
    (labels) => ofRule(`labels: ${labels}`),
  ),
  ...["0x10", "1.50", "010", "1_000", "0b1", "!!binary dXA="].map((value) => ofRule(`labels: {a: ${value}}`)),
  "groups: [{name: n, rules: [{record: a, expr: up, labels: &a {x: y}}, {record: b, expr: 1, labels: {<<: [*a], z: w}}]}]",
  "groups: [{name: n, rules: [&r {record: a, expr: up}, {<<: *r, record: b}]}]\n",
  "groups: [{name: n, rules: [&r {record: a, expr: up}, {<<: *r, <<: *r, record: b}]}]\n",
  "groups: [{name: n, rules: *x}]\n",
  "groups:\r\n- name: n\r\n  rules:\r\n  - record: a\r\n    expr: |\r\n      sum(\r\n      up)\r\n",
  "groups:\n- name: n\n  rules:\n  - record: a\n    expr: sum(up)\n      + 1 # why\n",
  "groups:\n- name: n\n  rules:\n    - record: a\n     expr: up\n",
] as const

for (const version of ["2.53", "3.5"] as const) {
  test(`agrees with promtool ${version} on random rule files`, async (t) => {
    const random = seeded(seedOf(t))
    const texts = Array.from({ length: FILES }, () => randomRuleFile(random))
    await agree(
      t,
      version,
      texts,
      (text, ours, theirs) =>
        version === "2.53" &&
        !ours.isValid &&
        isDeepStrictEqual(verdictOf(asOldPrometheusReads(text), version), theirs),
    )
  })

  test(`agrees with promtool ${version} on YAML that its readers take differently`, (t) =>
    agree(t, version, YAML, (text, { isValid }) => !isValid && OF_YAML_1_1.test(text)))
}

test("agrees with promtool 3.5 on the corpus", (t) =>
  agree(
    t,
    "3.5",
    Object.values(CORPUS).map(({ text }) => text),
  ))

interface Verdict {
  readonly isValid: boolean
  readonly hasDuplicates: boolean
}

async function agree(
  t: TestContext,
  version: "2.53" | "3.5",
  texts: readonly string[],
  isExplained: (text: string, ours: Verdict, theirs: Verdict) => boolean = () => false,
): Promise<void> {
  const folder = need(t, findPrometheus(version))
  if (folder === undefined) return
  const verdicts = await verdictsOfPromtool(t, join(folder, "promtool"), texts)
  const valid = verdicts.filter(({ isValid }) => isValid)
  const duplicates = valid.filter(({ hasDuplicates }) => hasDuplicates)
  t.diagnostic(`${valid.length} of ${texts.length} files are valid, ${duplicates.length} of them have duplicates`)
  const differing = verdicts.flatMap((theirs, index) => {
    const text = texts[index] ?? ""
    const ours = verdictOf(text, version)
    return isDeepStrictEqual(ours, theirs) || isExplained(text, ours, theirs) ? [] : [{ text, ours, theirs }]
  })
  assert.deepEqual(differing, [])
}

function verdictOf(text: string, version: "2.53" | "3.5"): Verdict {
  const { reports } = checkText(text, "", targetOf(`prometheus-${version}`))
  const isValid = !reports.some(({ severity }) => severity === "error")
  return { isValid, hasDuplicates: isValid && reports.some(({ check }) => check === "rule/duplicate") }
}

async function verdictsOfPromtool(
  t: TestContext,
  promtool: string,
  texts: readonly string[],
): Promise<readonly Verdict[]> {
  const { path, write } = temporaryFolder(t)
  const names = texts.map((_, index) => `f${index}.yaml`)
  for (const [index, text] of texts.entries()) await write(names[index] ?? "", text)
  const successes = (lint: string): Promise<ReadonlySet<string>> =>
    new Promise((resolve) => {
      const args = ["check", "rules", `--lint=${lint}`, ...names]
      execFile(promtool, args, { cwd: path, maxBuffer: 2 ** 26 }, (_, output) =>
        resolve(new Set([...output.matchAll(/^Checking (.+)\n {2}SUCCESS/gm)].map(([, name = ""]) => name))),
      )
    })
  const [valid, clean] = [await successes("none"), await successes("duplicate-rules")]
  return names.map((name) => ({ isValid: valid.has(name), hasDuplicates: valid.has(name) && !clean.has(name) }))
}
