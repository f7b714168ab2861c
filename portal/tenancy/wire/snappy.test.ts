import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { compressSync } from "snappy"
import { decodeBlock, encodeElements, preamble } from "./snappy.ts"

const refused = (block: Buffer, code = "MALFORMED_SNAPPY"): void =>
  assert.throws(() => decodeBlock(block, 1000), { code, status: 400 })

test("refuses a length beyond the limit before anything else", () => {
  refused(Buffer.from("ffffffff0f00", "hex"), "MESSAGE_TOO_LARGE")
  assert.throws(() => decodeBlock(Buffer.from("e90700", "hex"), 1000), {
    message:
      "The body has 1001 bytes uncompressed; at most 1000 are accepted. Nothing of it is stored: send less in a request.",
  })
  assert.equal(decodeBlock(compressSync(Buffer.alloc(1000)), 1000).length, 1000)
})

test("refuses a length that the block has too few bytes for without reserving it", () => {
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 100; count++) {
    assert.throws(() => decodeBlock(Buffer.from("80808010000000", "hex")), {
      message:
        "The body is not a snappy block: it declares 33554432 bytes and has too few for them. Nothing of it is stored.",
    })
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
})

test("refuses what is no block", () => {
  refused(Buffer.alloc(0))
  refused(Buffer.from("80", "hex"))
  refused(Buffer.from("ffffffffff0000", "hex"))
  refused(Buffer.from("ffffffff1f00", "hex"))
  refused(Buffer.from("0000", "hex"))
  refused(Buffer.from("080501", "hex"))
  refused(Buffer.from("0900610100", "hex"))
  refused(Buffer.from("ff060000734e61507059", "hex"))
  const block = compressSync(Buffer.from("a label a label a label"))
  refused(block.subarray(0, -1))
  refused(Buffer.concat([block, Buffer.from([0, 97])]))
})

test("reads an empty message", () => {
  assert.deepEqual(decodeBlock(Buffer.from([0])), Buffer.alloc(0))
})

test("makes one block of the elements of several messages", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat({ max: 200_000 }).map((length) => new Uint8Array(length).fill(7)),
    fc.nat({ max: 200_000 }).map((length) => Uint8Array.from({ length }, (_, at) => (at * at) % 251)),
  )
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (messages) => {
      const all = Buffer.concat(messages)
      const block = Buffer.concat([preamble(all.length), ...messages.map((message) => encodeElements(message))])
      assert.ok(decodeBlock(block).equals(all))
    }),
    { numRuns: 60 },
  )
})
