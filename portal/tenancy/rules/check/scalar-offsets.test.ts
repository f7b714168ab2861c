import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isScalar, parseDocument, Scalar, stringify } from "yaml"
import { scalarOffsets } from "./scalar-offsets.ts"

/** What stands in the text where each part of the value is said to stand. */
function placed(text: string, from: number, to: number): string {
  const scalar = parseDocument(text).get("expr", true)
  assert.ok(isScalar(scalar))
  const offsets = scalarOffsets(scalar, text) ?? assert.fail(`no offsets of ${text}`)
  return text.slice(offsets[from], (offsets[to - 1] ?? 0) + 1)
}

const find = (value: string, part: string): readonly [number, number] => [
  value.indexOf(part),
  value.indexOf(part) + part.length,
]

const cases: readonly (readonly [style: string, text: string])[] = [
  ["plain", "expr: sum(a)\n  + rate(b)\n\n  > 1\n"],
  ["single quotes", "expr: 'sum(a{b=''c''})\n\n  + rate(b) > 1'\n"],
  ["double quotes", 'a: 1\nexpr: "sum(a{b=\\"c\\x41\\u00e9\\U0001F600\\"})\\n +\\\n   \\ rate(b) > 1"\n'],
  ["a block", "expr: |\n  # why\n    sum(a)\n  +\n\n  rate(b) > 1\n\nb: 2\n"],
  ["a block with its indentation", "expr: |2-\n    sum(a)\n  + rate(b)\n"],
  ["a folded block", "expr: >-   # why\n\n  sum(a)\n  +\n\n    more\n  rate(b) > 1\n"],
  ["lines of Windows", "expr: |\r\n  sum(a)\r\n  + rate(b) > 1\r\n"],
  ["an anchor", "expr: &f sum(a) + rate(b)\n"],
]
for (const [style, text] of cases)
  test(`finds parts of an expression in ${style}`, () => {
    const value = (parseDocument(text).toJS() as { expr: string }).expr
    for (const part of ["sum", "a", "rate", "b)"].filter((one) => value.includes(one)))
      assert.equal(placed(text, ...find(value, part)), part)
  })

test("finds every character that is not blank, in any style", () => {
  const styles = [
    Scalar.PLAIN,
    Scalar.QUOTE_SINGLE,
    Scalar.QUOTE_DOUBLE,
    Scalar.BLOCK_LITERAL,
    Scalar.BLOCK_FOLDED,
  ] as const
  const word = fc.oneof(
    fc.constantFrom(
      " ",
      "  ",
      "\n",
      "\n\n",
      "\n   ",
      "\t",
      "'",
      '"',
      "\\",
      "\\n",
      "#",
      ": ",
      "\u00e9",
      "\ud83d\ude00",
      "\u0007",
    ),
    fc.string({ unit: "binary" }),
    fc.constantFrom("sum(rate(requests_total[5m]))", "a_rather_long_name_that_is_folded"),
  )
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 30 }),
      fc.constantFrom(...styles),
      fc.integer({ min: 1, max: 4 }),
      (words, type, indent) => {
        const value = words.join("")
        const scalar = new Scalar(value)
        scalar.type = type
        const text = stringify({ outer: { expr: scalar } }, { indent, lineWidth: 40 })
        const read = parseDocument(text).getIn(["outer", "expr"], true)
        if (!isScalar(read) || read.value !== value) return
        const offsets = scalarOffsets(read, text)
        assert.ok(offsets, text)
        assert.equal(offsets.length, value.length + 1)
        for (let index = 0; index < value.length; index++) {
          const unit = value[index] ?? ""
          const there = text[offsets[index] ?? -1]
          if (!/[ \t\r\n]/.test(unit)) assert.ok(there === unit || there === "\\", `${index} of ${text}`)
        }
        assert.deepEqual(
          offsets,
          offsets.toSorted((a, b) => a - b),
        )
      },
    ),
  )
})
