import assert from "node:assert/strict"
import { test } from "node:test"
import { runInNewContext } from "node:vm"
import fc from "fast-check"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { checkTemplate } from "./check-template.ts"
import { prometheusFunctions } from "./functions.ts"
import { randomTemplate } from "./random-template.testing.ts"

const functions = prometheusFunctions(14)

/** Each problem as `severity "the part": message`. */
function check(text: string, known = functions): readonly string[] {
  return checkTemplate(text, { functions: known }).map(
    ({ severity, message, from, to }) => `${severity} ${JSON.stringify(text.slice(from, to))}: ${message}`,
  )
}

const VALID = [
  "",
  "plain text with } and { and }}",
  "{{ $labels.instance }} of {{ $externalLabels.cluster }} at {{ $externalURL }}: {{ $value | humanize }}",
  "{{- /* comment */ -}} {{ .Labels.job }} {{ .Value }}",
  '{{ with query "up" }}{{ . | first | value | printf "%.2f" }}{{ else with query "down" }}{{ len . }}{{ end }}',
  "{{ range $i, $each := query `up` }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $each.Labels.job }}{{ else }}none{{ end }}",
  '{{ define "x" }}{{ .arg0 }}{{ end }}{{ template "x" (args $value "b") }}',
  '{{ block "y" . }}{{ $.Value }}{{ end }}',
  '{{ $x := "\\x41\\u00e9" }}{{ $x = `b` }}{{ $x }}',
  "{{ if and (gt $value 1e3) (lt $value 0x1p4) }}a{{ else if true }}b{{ else }}c{{ end }}",
  "{{ ($value) | humanize -}}\n",
  "{{ 'a' }} {{ '\\'' }} {{ 1_000 }} {{ 1+2i }}",
  "{{ 18446744073709551615 }} {{ -9223372036854775808 }} {{ 1-2i }}",
  '{{ "\\377\\ud7ff\\ue000\\U0010ffff" }}',
  '{{ define "x" }}a{{ end }}{{ define "x" }} {{/* nothing */}}{{ end }}',
  '{{ define "x" }} {{ end }}{{ define "x" }}a{{ end }}',
]
for (const text of VALID) test(`takes ${JSON.stringify(text)}`, () => assert.deepEqual(check(text), []))

const INVALID: readonly (readonly [text: string, problem: string])[] = [
  ["a {{ $value", 'error "{{": the action that begins here is not closed: add }}'],
  ["{{ }}", 'error "}}": an action needs a value'],
  ["{{ if }}x{{ end }}", 'error "}}": if needs a value'],
  ["{{ if true }}x", 'error "{{ if true }}": if is not closed: add {{ end }}'],
  ["x{{ end }}", 'error "{{ end }}": there is nothing to end here'],
  ["{{ else }}", 'error "{{ else }}": else stands outside of if, range and with'],
  ["{{ if 1 }}{{ else }}{{ else }}{{ end }}", 'error "{{ else }}": if has an else already'],
  ["{{ range $labels }}{{ else if 1 }}{{ end }}", 'error "if": if cannot follow else'],
  ["{{ break }}", 'error "break": break stands outside of a range'],
  ["{{ range 1 }}{{ else }}{{ continue }}{{ end }}", 'error "continue": continue stands outside of a range'],
  [
    "{{ if 1 }}{{ define `x` }}{{ end }}{{ end }}",
    'error "{{ define `x` }}": define stands inside of another action: move it out',
  ],
  ["{{ define x }}{{ end }}", 'error "x": define needs the name of a template in quotes'],
  [
    '{{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }}',
    'error "{{ define \\"x\\" }}": the template "x" is defined twice',
  ],
  [
    '{{ define "x" }}a{{ end }}{{ define "x" }} {{ end }}{{ define "x" }}b{{ end }}',
    'error "{{ define \\"x\\" }}": the template "x" is defined twice',
  ],
  [
    '{{ define "x" }}{{ $ }}{{ end }}{{ define "x" }}{{ $ }}{{ end }}',
    'error "{{ define \\"x\\" }}": the template "x" is defined twice',
  ],
  [
    '{{ range $labels }}{{ block "x" . }}{{ break }}{{ end }}{{ end }}',
    'error "break": break stands outside of a range',
  ],
  ["{{ range $labels }}{{ else range $labels }}{{ end }}", 'error "range": range cannot follow else'],
  [
    "{{ range $a, $b, $c := $labels }}{{ end }}",
    'error ",": only a range can declare two variables, and no action more',
  ],
  ["{{ range $a, 1 }}{{ end }}", 'error ",": only a range can declare two variables, and no action more'],
  ['{{ define "x" }}{{ $value }}{{ end }}', 'error "$value": the variable $value is not defined here'],
  ["{{ $label.job }}", 'error "$label": the variable $label is not defined here (Did you mean $labels?)'],
  ["{{ if 1 }}{{ $x := 1 }}{{ end }}{{ $x }}", 'error "$x": the variable $x is not defined here'],
  ["{{ humanise 1 }}", 'error "humanise": the function humanise is unknown to the target (Did you mean humanize?)'],
  ["{{ humanize (1 }}", 'error "(": this parenthesis is not closed'],
  ["{{ 1) }}", 'error ")": no parenthesis is open here'],
  ["{{ humanize | 1 }}", 'error "1": what stands behind a pipe must be a function, and this is a value'],
  ["{{ | humanize }}", 'error "|": | cannot stand here'],
  ["{{ $labels job }}", 'error "job": the function job is unknown to the target'],
  ["{{ $labels-job }}", 'error "-": "-" cannot follow $labels: put a space between'],
  ['{{ print"a" }}', 'error "\\"": "\\"" cannot follow print: put a space between'],
  ['{{ "a"."b" }}', 'error "\\"": "\\"" cannot follow .: put a space between'],
  ['{{ "a".b }}', 'error ".b": .b cannot follow a literal'],
  ["{{ ..a }}", 'error ".a": .a cannot follow .'],
  ['{{ "a }}', 'error "\\"": the string that begins here does not end: add "'],
  ['{{ "\\d" }}', 'error "\\\\d": "\\\\d" is not an escape of Go'],
  ["{{ 'ab' }}", "error \"'ab'\": single quotes hold one character: write a string in double quotes"],
  ["{{ 089 }}", 'error "089": 089 is not a number that Go can hold'],
  ["{{ 1e400 }}", 'error "1e400": 1e400 is not a number that Go can hold'],
  ['{{ "\\ud800" }}', 'error "\\\\u": "\\\\u" is not an escape of Go'],
  ['{{ "\\U00110000" }}', 'error "\\\\U": "\\\\U" is not an escape of Go'],
  ['{{ "\\400" }}', 'error "\\\\4": "\\\\4" is not an escape of Go'],
  ...["18446744073709551616", "-9223372036854775809", "0x1p2000", "1+2"].map(
    (number) => [`{{ ${number} }}`, `error "${number}": ${number} is not a number that Go can hold`] as const,
  ),
  ["{{ 1a }}", `error "1a": 1a is no number in Go's syntax: put a space after the number, or a text in quotes`],
  [
    "{{ 089_x | humanize }}",
    `error "089_x": 089_x is no number in Go's syntax: put a space after the number, or a text in quotes`,
  ],
  ["{{ $x : 1 }}", 'error ":": a colon stands in := only'],
  ["{{ $x, $y := 1 }}", 'error ",": only a range can declare two variables, and no action more'],
  ["{{ é\u0001 }}", 'error "\\u0001": "\\u0001" cannot follow é: put a space between'],
  ["{{ 😀 }}", 'error "😀": "😀" cannot stand in an action'],
  ["{{/* a }}", 'error "{{/*": this comment is not closed: add */}}'],
  ["{{/* a */ }}", 'error "*/": }} must follow the end of a comment'],
]
for (const [text, problem] of INVALID) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.deepEqual(check(text), [problem]))
}

test("knows the functions of the target", () => {
  assert.deepEqual(check("{{ now }}", prometheusFunctions(6)), [])
  assert.deepEqual(check("{{ now }}", prometheusFunctions(5)), [
    'error "now": the function now is unknown to the target (Did you mean not?)',
  ])
})

const FAILS_LATER: readonly (readonly [text: string, problem: string])[] = [
  ["{{ humanize }}", 'warning "humanize": humanize takes 1 argument and has 0'],
  ["{{ $value | humanize 1 }}", 'warning "humanize 1": humanize takes 1 argument and has 2'],
  ['{{ if (match "a") }}{{ end }}', 'warning "match \\"a\\"": match takes 2 arguments and has 1'],
  ["{{ slice 1 2 3 4 5 }}", 'warning "slice 1 2 3 4 5": slice takes 1 to 4 arguments and has 5'],
  ["{{ printf }}", 'warning "printf": printf takes 1 or more arguments and has 0'],
  [
    '{{ template "x" }}',
    'warning "{{ template \\"x\\" }}": no template "x" is defined here: the alert shows an error instead',
  ],
  [
    "{{ .labels.job }}{{ range query `up` }}{{ .labels }}{{ end }}",
    'warning ".labels.job": an alert has no field .labels, but .Labels, .ExternalLabels, .ExternalURL and .Value',
  ],
]
for (const [text, problem] of FAILS_LATER) {
  test(`warns of what fails when the alert fires: ${text}`, () => assert.deepEqual(check(text), [problem]))
}

test("takes any text without throwing, and points into it", () => {
  const mutated = fc.integer().map((seed) => randomTemplate(seeded(seed)))
  const anything = fc.array(
    fc.constantFrom(...'{{ }} ( ) | $a := . .a "a" ` \' 1 if end else range define /* */ - \\ é'.split(" ")),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        fc.string({ unit: "binary" }),
        anything.map((parts) => parts.join(" ")),
      ),
      (text) => {
        for (const { from, to } of checkTemplate(text, { functions })) {
          assert.ok(from >= 0 && from <= to && to <= text.length)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

/** Each is 100,000 characters of one thing; what is not linear, or recursive, does not end or overflows the stack. */
const LONG: Readonly<Record<string, string>> = {
  parentheses: `{{ ${"(".repeat(50_000)}1${")".repeat(50_000)} }}`,
  "open parentheses": `{{ ${"(".repeat(100_000)}`,
  ifs: "{{if 1}}".repeat(12_500),
  "ranges with break": "{{range 1}}{{break}}".repeat(5_000) + "{{end}}".repeat(5_000),
  declarations: "{{$a:=1}}".repeat(11_000) + "{{$b}}",
  "different declarations": Array.from({ length: 8_000 }, (_, i) => `{{$a${i}:=$a${i}}}`).join("") + "{{$b}}",
  "else ifs": "{{if 1}}" + "{{else if 1}}".repeat(7_700) + "{{end}}",
  definitions: Array.from({ length: 4_000 }, (_, i) => `{{define "${i}"}}x{{end}}`).join(""),
  pipes: `{{ 1 ${"| print ".repeat(12_500)}}}`,
  spaces: `{{ ${" ".repeat(100_000)}`,
  "a string": `{{ "${"\\n".repeat(50_000)}" }}`,
  "a string without end": `{{ "${"a".repeat(100_000)}`,
  "a number": `{{ ${"1".repeat(100_000)} }}`,
  "a number of underscores": `{{ ${"1_".repeat(50_000)} }}`,
  "a fraction": `{{ 0x${"f".repeat(50_000)}.${"f".repeat(50_000)}p1 }}`,
  "long names": `{{ $${"a".repeat(50_000)} := 1 }}{{ $${"a".repeat(49_999)}b }}`,
  fields: `{{ $labels${".a".repeat(50_000)} }}`,
  braces: "{".repeat(100_000),
  comments: "{{/**/}}".repeat(12_500),
  "open comments": "{{/*".repeat(25_000),
}
for (const [name, text] of Object.entries(LONG)) {
  test(`is linear in ${name}`, () => {
    // a test cannot be timed out while it does not wait, a script can
    const problems = runInNewContext("check()", { check: () => check(text) }, { timeout: 20_000 }) as readonly string[]
    assert.ok(problems.length < 2)
  })
}
