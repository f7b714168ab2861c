import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { createChunkQueue } from "./chunk-queue.ts"

test("gives all bytes in their order, in pieces of any size, while more come", () => {
  const step = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ add: Buffer.from(bytes) })),
    fc.nat(30).map((take) => ({ take })),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = createChunkQueue()
      let model = Buffer.alloc(0)
      for (const one of steps) {
        if ("add" in one) {
          queue.add(one.add)
          model = Buffer.concat([model, one.add])
        } else {
          assert.deepEqual(Buffer.from(queue.take(one.take)), model.subarray(0, one.take))
          model = model.subarray(one.take)
        }
        assert.equal(queue.bytes, model.length)
      }
    }),
  )
})
