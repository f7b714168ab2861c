import assert from "node:assert/strict"
import { test } from "node:test"
import { createLimitMemory, sharedLimits } from "#core/limits/shared-limits.ts"
import { createRoom } from "./room.ts"

const KIB = 1024
/** Of a request besides its body. */
const REQUEST = 16 * KIB
const refusal = (whose: string, most: number, setting: string) => ({
  ...{ code: "TOO_MUCH_IN_FLIGHT", status: 503 },
  message: `Requests in flight${whose} take all ${most} bytes of the limit ${setting}; resend later.`,
})

test("bounds the bytes of all, of each sender, and what a sender's own limit is", () => {
  const room = createRoom({ most: 100 * KIB, share: 60 * KIB })
  using a = room.enter("a", 0, Infinity)
  a.add(44 * KIB)
  assert.throws(() => a.add(1), refusal(" of this sender", 60 * KIB, "--limit.sender-bytes-in-flight"))
  assert.throws(
    () => room.enter("b", KIB, REQUEST),
    refusal(" of this sender", REQUEST, "bytes_in_flight of the senders' file"),
  )
  {
    using b = room.enter("b", 0, Infinity)
    b.add(24 * KIB)
    assert.throws(() => b.add(1), refusal("", 100 * KIB, "--limit.bytes-in-flight"))
    assert.equal(room.used, 100 * KIB)
  }
  assert.equal(room.used, 60 * KIB)
})

test("a sender's own limit holds in all threads together", () => {
  const memory = createLimitMemory(2)
  const bounds = { most: 1024 * KIB, share: 1024 * KIB }
  const [one, two] = [0, 1].map((thread) => createRoom(bounds, sharedLimits(memory, thread)))
  assert.ok(one !== undefined && two !== undefined)
  const own = 2 * REQUEST
  {
    using first = one.enter("a", 0, own)
    first.add(REQUEST)
    assert.throws(() => two.enter("a", 0, own), { code: "TOO_MUCH_IN_FLIGHT" })
    two.enter("b", 0, own)[Symbol.dispose]()
  }
  two.enter("a", REQUEST, own)[Symbol.dispose]()
})
