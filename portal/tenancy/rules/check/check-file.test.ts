import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { TARGET_NAMES } from "../validation/target.ts"
import { targetOf } from "../validation/targets.ts"
import { checkText } from "./check-file.ts"
import { randomRuleFile } from "./random-groups.testing.ts"
import { CORPUS } from "./testing.ts"

const RESOURCE = `apiVersion: open-metrics.vgs.io/v1
kind: OpenMetricsRule
spec:
  tenants: [a, "b"]
  groups: &g
    - name: g
      rules:
        - record: a
          expr: |
            sum(
              up)
---
apiVersion: v1
kind: List
items: [{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: []}}]
`
const PIECES = [
  ...[
    "\n",
    "\n  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "&a ",
    "*a",
    "<<: *g",
    "#",
    "|",
    ">-",
    "!!str ",
    "---\n",
    "...",
  ],
  ...[
    "\\",
    "\u0000",
    "\u00a0",
    "\ufeff",
    "\ud83d\ude00",
    "null",
    "~",
    "? ",
    "%YAML 1.2\n",
    "\t",
    "\r\n",
    "groups",
    "expr: *g",
  ],
] as const

test("reports places within the text, whatever it is", (t) => {
  const random = seeded(seedOf(t))
  const stems = [RESOURCE, ...Object.values(CORPUS).map(({ text }) => text)] as const
  for (let round = 0; round < 2000; round++) {
    let text: string = random.chance(0.1) ? randomRuleFile(random) : random.pick(stems)
    for (let changes = random.below(4); changes > 0; changes--) {
      const at = random.below(text.length + 1)
      text = text.slice(0, at) + (random.chance(0.7) ? random.pick(PIECES) : "") + text.slice(at + random.below(6))
    }
    const lines = text.split(/\n/)
    const { reports } = checkText(text, "f.yaml", targetOf(random.pick(TARGET_NAMES)))
    for (const { line, column, where, message } of reports) {
      if (line === undefined || column === undefined) continue
      const length = lines[line - 1]?.length ?? -1
      assert.ok(
        column >= 1 && column <= length + 1,
        `${line}:${column} of ${JSON.stringify(text)}: ${where}: ${message}`,
      )
      assert.doesNotMatch(`${where}${message}`, /[\p{Cc}\ud800]/u)
    }
  }
})

test("checks thousands of rules", () => {
  const fileOf = (count: number): string => {
    const rule = (index: number): string =>
      `  - alert: A${index}\n    expr: sum by (job) (rate(errors_total{job="j${index}"}[5m])) > ${index}\n    labels: {severity: page}\n`
    return `groups:\n- name: g\n  rules:\n${Array.from({ length: count }, (_, index) => rule(index)).join("")}`
  }
  const { rules, reports } = checkText(fileOf(2500), "f.yaml", targetOf("prometheus-3.5"))
  assert.deepEqual([rules, reports], [2500, []])
})

test("says what to do about templates that are no YAML", () => {
  const hint = "; put text that begins with {{ in quotes, and render templates of Helm first"
  const messages = [
    "groups:\n  - name: {{ .Values.name }}\n",
    "{{- if .Values.on }}\ngroups: []\n{{- end }}\n",
    "groups:\n  - name: g\n    rules: [x\n",
  ].map((text) =>
    checkText(text, "a.yaml", targetOf("prometheus-3.5")).reports.map(({ message }) => message.endsWith(hint)),
  )
  assert.deepEqual(messages, [[true], [true], [false]])
})
