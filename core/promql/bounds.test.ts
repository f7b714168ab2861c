import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { beyondBounds, boundsOf, bytesOfScrape, DEFAULT_BOUNDS } from "./bounds.ts"

test("lets every default be reached", () => {
  const { bounds, unreachable } = boundsOf(DEFAULT_BOUNDS)
  assert.deepEqual([bounds, unreachable], [DEFAULT_BOUNDS, []])
  // three bytes of UTF-8 for one character of JavaScript, percent-encoded
  assert.deepEqual(beyondBounds(["\u20ac".repeat(DEFAULT_BOUNDS.characters)], DEFAULT_BOUNDS), [])
  assert.deepEqual(
    beyondBounds(Array<string>(DEFAULT_BOUNDS.selectors).fill(`{job="${"a".repeat(200)}"}`), DEFAULT_BOUNDS),
    [],
  )
})

test("names each bound that a request is beyond", () => {
  const wanted = Array<string>(1025).fill(`{job="${"a".repeat(230)}"}`)
  assert.deepEqual(beyondBounds([...wanted, "a".repeat(16_385)], DEFAULT_BOUNDS), [
    "has 1026 selectors, more than the limit selectors of 1024",
    "has a selector of 16385 characters, more than the limit selector_characters of 16384",
    `has some ${bytesOfScrape([...wanted, "a".repeat(16_385)])} bytes, more than the limit request_bytes of 262144`,
  ])
})

test("leaves room for whatever is given, and says of what is given beyond it that it cannot be reached", () => {
  const given = { nil: undefined }
  const property = fc.property(
    fc.integer({ min: 16_384, max: 1_048_576 }),
    fc.option(fc.integer({ min: 1, max: 10_000 }), given),
    fc.option(fc.integer({ min: 1, max: 65_536 }), given),
    (bytes, selectors, characters) => {
      const { bounds, unreachable } = boundsOf({ bytes, selectors, characters })
      const beyond = [
        ...beyondBounds(Array<string>(bounds.selectors).fill("a"), bounds).map(() => "selectors"),
        ...beyondBounds(['"'.repeat(bounds.characters)], { ...bounds, bytes: bounds.bytes + 16 }).map(
          () => "characters",
        ),
      ]
      assert.ok(
        beyond.every((key) => unreachable.some((one) => one.key === key)),
        JSON.stringify({ bounds, beyond }),
      )
    },
  )
  fc.assert(property)
})

test("lowers what is not given to what fits, rather than refuse it", () =>
  assert.deepEqual(boundsOf({ bytes: 16_384 }), {
    bounds: { bytes: 16_384, selectors: 768, characters: 4096 },
    unreachable: [],
  }))

test("counts the bytes of a query as Go writes it", () => {
  const query = "match%5B%5D=%7Ba%3D~%22b+%C3%A9%2A%27%28%29%21%22%7D&match%5B%5D=up_-.~&"
  assert.equal(bytesOfScrape(['{a=~"b é*\'()!"}', "up_-.~"]), query.length + 4096)
})
