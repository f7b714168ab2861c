import assert from "node:assert/strict"
import { test } from "node:test"
import { text } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"
import * as fc from "fast-check"
import { bodyOf, gzip, plain } from "./body.ts"

test("body and tail together are one gzip member of their text, or the text itself", async () => {
  const words = fc.string({ unit: "grapheme", maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(fc.array(words), words, async (pieces, tail) => {
      const body = await bodyOf(pieces)
      const expected = pieces.join("") + tail
      assert.equal(gunzipSync(Buffer.concat(gzip(body, Buffer.from(tail)))).toString(), expected)
      assert.equal(await text(plain(body, Buffer.from(tail))), expected)
      assert.equal(body.length + Buffer.byteLength(tail), Buffer.byteLength(expected))
    }),
  )
})

test("so are large ones", async () => {
  const pieces = Array.from({ length: 4 }, (_, index) => `${index} ${"é\n".repeat(200_000)}`)
  const body = await bodyOf(pieces)
  assert.equal(await text(plain(body, Buffer.from("tail"))), `${pieces.join("")}tail`)
  assert.equal(gunzipSync(Buffer.concat(gzip(body, Buffer.from("tail")))).toString(), `${pieces.join("")}tail`)
})

test("others have their turn while a body is made", async () => {
  const made: string[] = []
  const pieces = function* (): Generator<string> {
    for (const piece of ["a", "b", "c"]) {
      made.push(piece)
      yield piece
    }
  }
  const making = bodyOf(pieces())
  await Promise.resolve()
  assert.deepEqual(made, ["a"])
  assert.equal(await text(plain(await making, Buffer.from("d"))), "abcd")
})
