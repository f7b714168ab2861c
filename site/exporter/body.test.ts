import assert from "node:assert/strict"
import { test } from "node:test"
import { gunzipSync } from "node:zlib"
import * as fc from "fast-check"
import { Body, gzip } from "./body.ts"

test("body and tail together are one gzip member of their text", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(fc.array(text), text, async (pieces, tail) => {
      assert.equal(gunzipSync(Buffer.concat(await gzip(new Body(pieces), tail))).toString(), pieces.join("") + tail)
    }),
  )
})

test("compresses the body once for any number of answers", async () => {
  const body = new Body(["a long text ".repeat(1000)])
  const first = body.compressed
  await gzip(body, "one")
  await gzip(body, "two")
  assert.equal(body.compressed, first)
})

test("others have their turn while a body is made", async () => {
  const made: string[] = []
  const pieces = function* (): Generator<string> {
    for (const piece of ["a", "b", "c"]) {
      made.push(piece)
      yield piece
    }
  }
  const making = Body.from(pieces())
  await Promise.resolve()
  assert.deepEqual(made, ["a"])
  assert.equal(Buffer.concat((await making).plain).toString(), "abc")
})
