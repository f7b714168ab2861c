import assert from "node:assert/strict"
import { test } from "node:test"
import { closeAll } from "#core/closable.ts"

test("closes in order, each after the one before, and the first failure is thrown when all are closed", async () => {
  const closed: string[] = []
  const part = (name: string, failure?: string) => ({
    async close() {
      await new Promise(setImmediate)
      closed.push(name)
      if (failure !== undefined) throw new Error(failure)
    },
  })
  await assert.rejects(closeAll([part("a"), part("b", "first"), part("c", "second"), part("d")]), { message: "first" })
  assert.deepEqual(closed, ["a", "b", "c", "d"])
})

test("a part that throws before it returns a promise does not keep the others open", async () => {
  let closed = false
  const rude = {
    close(): Promise<void> {
      throw new Error("rude")
    },
  }
  const polite = {
    close() {
      closed = true
      return Promise.resolve()
    },
  }
  await assert.rejects(closeAll([rude, polite]), { message: "rude" })
  assert.equal(closed, true)
})
