import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { parseQuery } from "./query.ts"

function read(raw: string): readonly string[] | string {
  try {
    return parseQuery(raw)
  } catch (error) {
    return (error as Error).message
  }
}

const ONLY = "The query cannot be read: only match[]=SELECTOR is understood."
const TABLE: readonly (readonly [title: string, raw: string, result: readonly string[] | string])[] = [
  ["an empty query", "", []],
  ["literal brackets", "match[]=up", ["up"]],
  ["encoded brackets", "match%5b%5D=up", ["up"]],
  ["an encoded name", "%6d%61%74%63%68%5B%5D=up", ["up"]],
  ["several values in their order", "match[]=b&match%5B%5D=a&match[]=b", ["b", "a", "b"]],
  ["an empty value", "match[]=", [""]],
  ["an equals sign in a value", 'match[]={a="b"}', ['{a="b"}']],
  ["plus for a space, %2B for a plus", "match[]=a+b%2Bc%20d", ["a b+c d"]],
  ["UTF-8", "match[]=%C3%A9%F0%9F%98%80", ["é😀"]],
  ["an encoded ampersand", "match[]=a%26b", ["a&b"]],
  ["1,024 values", Array(1024).fill("match[]=a").join("&"), Array<string>(1024).fill("a")],
  [
    "1,025 values",
    Array(1025).fill("match[]=a").join("&"),
    "The request has 1025 selectors; at most 1024 are served at once, the limit selectors. Request them in several jobs, or have it raised.",
  ],
  ["a value of 16,384 characters", `match[]=${"a".repeat(16_384)}`, ["a".repeat(16_384)]],
  [
    "a value of 16,385 characters",
    `match[]=a&match[]=${"a".repeat(16_385)}`,
    "A selector has 16385 characters; at most 16384 are served, the limit selector_characters. Split it, or have it raised.",
  ],
  ["another name", "match[]=a&query=b", ONLY],
  ["a name without brackets", "match=a", ONLY],
  ["a name with an index", "match[0]=a", ONLY],
  ["a name with a space", "match[]+=a", ONLY],
  [
    "a parameter without a value",
    "match[]",
    "The query cannot be read: a parameter without a value; only match[]=SELECTOR is understood.",
  ],
  ["an ampersand at the end", "match[]=a&", ["a"]],
  ["an ampersand at the beginning", "&match[]=a", ["a"]],
  ["several ampersands in a row", "match[]=a&&&match[]=b&&", ["a", "b"]],
  ["nothing but ampersands", "&&", []],
  ["a parameter without name and value", "match[]=a&=&match[]=b", ["a", "b"]],
  ["a value without a name", "match[]=a&=b", ONLY],
  ["another name without a value", "match[]=a&query=", ONLY],
  ["a semicolon", "match[]=a;match[]=b", `The query cannot be read: the character ";" must be percent-encoded.`],
  ["a fragment", "match[]=a#b", `The query cannot be read: the character "#" must be percent-encoded.`],
  ["a byte beyond ASCII", "match[]=\xe9", `The query cannot be read: the character "\xe9" must be percent-encoded.`],
  ["half a percent-encoding", "match[]=%4", "The query cannot be read: a % is not followed by two hexadecimal digits."],
  [
    "a percent-encoding of no digits",
    "match[]=%zz",
    "The query cannot be read: a % is not followed by two hexadecimal digits.",
  ],
  ["bytes that are not UTF-8", "match[]=%ff", "The query cannot be read: a value is not UTF-8."],
  ["an encoded surrogate", "match[]=%ED%A0%80", "The query cannot be read: a value is not UTF-8."],
  ["a NUL", "match[]=%00", "The query cannot be read: a value holds the character NUL."],
]
for (const [title, raw, result] of TABLE) test(`reads ${title}`, () => assert.deepEqual(read(raw), result))

test("reads back any value that URLSearchParams writes", () => {
  const value = fc.string({ unit: "grapheme", maxLength: 50 }).filter((text) => !text.includes("\0"))
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 10 }), (values) => {
      const raw = new URLSearchParams(values.map((one): [string, string] => ["match[]", one])).toString()
      assert.deepEqual(parseQuery(raw), values)
    }),
  )
})
