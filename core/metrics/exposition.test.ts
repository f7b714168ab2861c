import assert from "node:assert/strict"
import { test } from "node:test"
import { encode, encodePieces, type Family } from "./exposition.ts"

const family = (samples: Family["samples"]): Family => ({ name: "a_metric", help: "Help.", type: "gauge", samples })

test("writes families in the text format, with labels in the order given", () => {
  const samples = [
    { labels: { b: "2", a: "1" }, value: 1.5 },
    { labels: {}, value: 1e21 },
  ]
  assert.equal(
    encode([family(samples), { name: "b_total", help: "More.", type: "counter", samples: [{ labels: {}, value: 0 }] }]),
    `# HELP a_metric Help.
# TYPE a_metric gauge
a_metric{b="2",a="1"} 1.5
a_metric 1e+21
# HELP b_total More.
# TYPE b_total counter
b_total 0
`,
  )
})

test("leaves out families without samples", () => {
  assert.equal(encode([family([])]), "")
})

test("escapes quotes, backslashes and newlines, and keeps all other text as it is", () => {
  const labels = { name: 'a "quoted" \\ path\nü → 🧬' }
  const text = encode([{ ...family([{ labels, value: 1 }]), help: 'A "help" \\ in\ntwo lines' }])
  assert.equal(
    text,
    String.raw`# HELP a_metric A "help" \\ in\ntwo lines
# TYPE a_metric gauge
a_metric{name="a \"quoted\" \\ path\nü → 🧬"} 1
`,
  )
})

test("writes values that are no finite numbers as Prometheus reads them", () => {
  const samples = [Number.NaN, Infinity, -Infinity].map((value) => ({ labels: {}, value }))
  assert.equal(
    encode([family(samples)]),
    "# HELP a_metric Help.\n# TYPE a_metric gauge\na_metric NaN\na_metric +Inf\na_metric -Inf\n",
  )
})

test("cuts a long exposition into pieces of whole lines", () => {
  const samples = Array.from({ length: 30_000 }, (_, index) => ({ labels: { index: `number ${index}` }, value: index }))
  const pieces = [...encodePieces([family(samples)])]
  assert.ok(pieces.length > 1)
  assert.ok(pieces.every((piece) => piece.endsWith("\n")))
  assert.equal(pieces.join(""), encode([family(samples)]))
})
