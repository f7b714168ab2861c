import assert from "node:assert/strict"
import { test } from "node:test"
import { lintAlert, lintRules } from "./testing.ts"

const empty = (label: string) => `is always empty: the expression's result cannot have the label "${label}"`
const value = (name: string) =>
  `${name} in a label makes another alert of it whenever the value changes: use an annotation`

const TEMPLATES: readonly (readonly [expr: string, text: string, ...findings: readonly string[]])[] = [
  ["sum by (job) (up) < 1", "{{ $labels.job }} {{ .Labels.job }} {{ $value }}"],
  ["up == 0", "{{ $labels.anything }}"],
  [
    "sum by (job) (up) < 1",
    "{{ $labels.instance }}",
    `0.annotations.a alerts/template $labels.instance: ${empty("instance")}`,
  ],
  [
    "sum(up) < 1",
    "{{ with .Value }}{{ .Labels.job }}{{ end }}{{ .Labels.job }}",
    `0.annotations.a alerts/template .Labels.job: ${empty("job")}`,
  ],
  ["sum(up) < 1", "{{ $.Labels.job | title }}", `0.annotations.a alerts/template $.Labels.job: ${empty("job")}`],
  ["sum(up) < 1", '{{ index $labels "job" }}', `0.annotations.a alerts/template "job": ${empty("job")}`],
  ["sum(up) < 1", "{{ if $labels.job }}{{ $labels.job }}{{ end }}"],
  ["sum(up) < 1", "{{ $externalLabels.job }}"],
  ['absent(up{job="a"})', "{{ $labels.job }}"],
  [
    'absent(up{job="a"})',
    "{{ $labels.instance }}",
    `0.annotations.a alerts/template $labels.instance: ${empty("instance")}`,
  ],
  ["a * on (x) group_left (y) sum by (x, y) (b) > 0", "{{ $labels.y }} {{ $labels.z }}"],
  ["sum without (x) (a) > 0", "{{ $labels.x }}", `0.annotations.a alerts/template $labels.x: ${empty("x")}`],
  ["a / on (x) b > 0", "{{ $labels.y }}", `0.annotations.a alerts/template $labels.y: ${empty("y")}`],
  [
    'label_replace(sum(a), "y", "$1", "x", "(.*)") > 0',
    "{{ $labels.y }} {{ $labels.z }}",
    `0.annotations.a alerts/template $labels.z: ${empty("z")}`,
  ],
  ["1 - sum(a) > 0", "{{ $labels.x }}", `0.annotations.a alerts/template $labels.x: ${empty("x")}`],
  ["1 - a > 0", "{{ $labels.x }}"],
  [
    "sum by (x) (a) > 0 or sum by (y) (b) > 0",
    "{{ $labels.x }} {{ $labels.y }} {{ $labels.z }}",
    `0.annotations.a alerts/template $labels.z: ${empty("z")}`,
  ],
  ["sum(a) > 0 or b > 0", "{{ $labels.x }}"],
  ["b > 0 or sum(a) > 0", "{{ $labels.x }}"],
  [
    "sum without (x) (a) > 0 or sum without (x, y) (b) > 0",
    "{{ $labels.x }} {{ $labels.y }}",
    `0.annotations.a alerts/template $labels.x: ${empty("x")}`,
  ],
  ["a / sum by (x) (b) > 0", "{{ $labels.y }}", `0.annotations.a alerts/template $labels.y: ${empty("y")}`],
  [
    "sum by (x) (a) * on (x) group_right (y) sum by (x, y, z) (b) > 0",
    "{{ $labels.z }} {{ $labels.w }}",
    `0.annotations.a alerts/template $labels.w: ${empty("w")}`,
  ],
  ["sum(up) < 1", "{{ with $labels.job }}{{ . }}{{ end }}{{ $labels.job }}"],
  ["up == 0", '{{ query "up" | first | value }}'],
  [
    "up == 0",
    '{{ query "up +" | first | value }}',
    '0.annotations.a alerts/template "up +": the query is none: unexpected end',
  ],
  [
    "up == 0",
    '{{ query "sum(up)" | first | label "job" }}',
    `0.annotations.a alerts/template "job": is always empty: the query's result cannot have the label "job"`,
  ],
  ["up == 0", '{{ query "sum by (job) (up)" | first | label "job" }}'],
  ["up == 0", '{{ query (printf "up{job=%q}" $labels.job) | first | value }}'],
]
for (const [expr, text, ...findings] of TEMPLATES) {
  test(`finds in an annotation ${text} of ${expr}`, () =>
    assert.deepEqual(lintAlert(expr, { annotations: { a: text } }), findings))
}

const LABELS: readonly (readonly [text: string, ...findings: readonly string[]])[] = [
  ["{{ $labels.job }}"],
  ["{{ if gt $value 5.0 }}critical{{ else }}warning{{ end }}"],
  ["{{ $value }}", `0.labels.a alerts/template $value: ${value("$value")}`],
  ["{{ .Value | humanize }}", `0.labels.a alerts/template .Value: ${value(".Value")}`],
  ['{{ query "up" | first | value }}', `0.labels.a alerts/template value: ${value("value")}`],
  ['{{ query "up" | first | label "team" }}'],
]
for (const [text, ...findings] of LABELS) {
  test(`finds in a label ${text}`, () => assert.deepEqual(lintAlert("up == 0", { labels: { a: text } }), findings))
}

test("templates are those of alerts, not of recording rules", () =>
  assert.deepEqual(lintRules({ record: "r", expr: "sum(up)", labels: { a: "{{ $value }}" } }), []))
