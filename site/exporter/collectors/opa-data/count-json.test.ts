import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { countJson } from "./count-json.ts"
import type { PathCount } from "./reading.ts"

/** Fed in pieces of the given lengths, over and over. */
function count(text: string, lengths: readonly number[] = [1]): PathCount {
  const counter = countJson()
  const bytes = Buffer.from(text)
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1
    counter.add(bytes.subarray(at, at + length))
    at += length
  }
  return counter.end()
}

const sizeOf = (value: unknown): number => (typeof value === "object" && value !== null ? Object.keys(value).length : 0)

/** The same by a whole tree. */
function expected(result: unknown): PathCount {
  if (typeof result !== "object" || result === null) return { kind: "uncountable" }
  const members = Object.values(result).reduce((sum: number, member) => sum + sizeOf(member), 0)
  return { kind: "counted", keys: sizeOf(result), members, digest: undefined }
}

const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
const space = fc.constantFrom(undefined, 1, "\t")

test("counts any document as a whole tree would be, however it is cut into pieces", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), lengths, space, fc.boolean(), (result, sizes, indent, last) => {
      const id = { decision_id: 'a"}],b', metrics: { result: [1, { x: 2 }] } }
      const text = JSON.stringify(last ? { ...id, result } : { result, ...id }, undefined, indent)
      assert.deepEqual(count(text, sizes), expected(result))
    }),
    { numRuns: 500 },
  )
})

test("a part of a response is no response", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (result, part) => {
      const bytes = Buffer.from(JSON.stringify({ result }))
      const counter = countJson()
      counter.add(bytes.subarray(0, Math.floor(bytes.length * part)))
      assert.throws(() => counter.end(), { name: "ReadFailure", message: "the response ends before it is complete" })
    }),
  )
})

const table: readonly (readonly [text: string, expected: PathCount | string])[] = [
  ["{}", { kind: "undefined" }],
  ['{"decision_id":"x"}\n', { kind: "undefined" }],
  ['{"result":null}', { kind: "uncountable" }],
  ['{"result":"a,{b"}', { kind: "uncountable" }],
  ['{"result":{}}', { kind: "counted", keys: 0, members: 0, digest: undefined }],
  ['{"result":{"a":{},"b":{}}}', { kind: "counted", keys: 2, members: 0, digest: undefined }],
  ['{"result":{"a\\"":{"x,":[1,2],"y":{}}}}', { kind: "counted", keys: 1, members: 2, digest: undefined }],
  ["<html>", "the response is not one of an OPA: check the address and port"],
  ["[1]", "the response is not one of an OPA: check the address and port"],
  ['"text"', "the response is not one of an OPA: check the address and port"],
  ['{"status":"success"}', "the response is not one of an OPA: check the address and port"],
  ['{"":1}', "the response is not one of an OPA: check the address and port"],
  ["{} {}", "the response is not one of an OPA: check the address and port"],
  ["", "the response ends before it is complete"],
  [" ", "the response ends before it is complete"],
]
for (const [text, wanted] of table) {
  test(`${JSON.stringify(text)}: ${typeof wanted === "string" ? wanted : JSON.stringify(wanted)}`, () => {
    if (typeof wanted === "string") assert.throws(() => count(text), { name: "ReadFailure", message: wanted })
    else assert.deepEqual(count(text), wanted)
  })
}
