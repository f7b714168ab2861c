import assert from "node:assert/strict"
import { test } from "node:test"
import { compressSync } from "snappy"
import { free } from "./free.ts"
import { decodeBlock } from "./snappy.ts"

test("frees the memory of a message at once", () => {
  const message = decodeBlock(compressSync(Buffer.alloc(100_000, "a")))
  const before = process.memoryUsage().arrayBuffers
  free(message)
  assert.equal(message.length, 0)
  assert.ok(before - process.memoryUsage().arrayBuffers >= 100_000)
})

test("leaves bytes alone that stand in memory with others", () => {
  const all = Buffer.from(new Uint8Array(10).buffer)
  free(all.subarray(2))
  free(Buffer.from("of the pool"))
  assert.equal(all.length, 10)
})
