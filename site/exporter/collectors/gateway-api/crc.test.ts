import assert from "node:assert/strict"
import { test } from "node:test"
import { crc32 } from "node:zlib"
import * as fc from "fast-check"
import { combine, shiftOf } from "./crc.ts"

test("checksums of parts make that of the whole", () => {
  const bytes = fc.uint8Array({ maxLength: 5000 })
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const whole = crc32(Buffer.concat([first, second]))
      assert.equal(combine(crc32(first), crc32(second), shiftOf(second.length)), whole)
    }),
  )
})
