import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { createPageMemory } from "./page-memory.ts"

const NEVER = new AbortController().signal
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("lets pages in as long as there is room, and the others in their order when there is", async () => {
  const memory = createPageMemory(10)
  const entered: number[] = []
  const take = async (bytes: number): Promise<Disposable> => {
    const held = await memory.take(bytes, NEVER)
    entered.push(bytes)
    return held
  }
  const pages = [6, 5, 1, 4].map((bytes) => take(bytes))
  await turn()
  // the small one does not pass the one before it
  assert.deepEqual([entered, memory.used], [[6], 6])
  const first = await pages[0]
  first?.[Symbol.dispose]()
  first?.[Symbol.dispose]()
  await turn()
  assert.deepEqual([entered, memory.used], [[6, 5, 1, 4], 10])
})

test("lets a page in that is larger than all, alone", async () => {
  const memory = createPageMemory(10)
  const small = await memory.take(1, NEVER)
  const large = memory.take(50, NEVER)
  await turn()
  assert.equal(memory.used, 1)
  small[Symbol.dispose]()
  const held = await large
  assert.equal(memory.used, 50)
  held[Symbol.dispose]()
  assert.equal(memory.used, 0)
})

test("one that leaves while it waits lets the next ones in", async () => {
  const memory = createPageMemory(10)
  await memory.take(6, NEVER)
  const leaving = new AbortController()
  const left = memory.take(8, leaving.signal)
  const next = memory.take(4, NEVER)
  leaving.abort(new Error("left"))
  await assert.rejects(left, { message: "left" })
  await next
  assert.equal(memory.used, 10)
  await assert.rejects(memory.take(1, leaving.signal), { message: "left" })
  assert.equal(memory.used, 10)
})

test("never holds more than it may, and lets everyone in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 15 }), turns: fc.nat(3), leaves: fc.boolean() })),
      async (pages) => {
        const memory = createPageMemory(10)
        await Promise.all(
          pages.map(async ({ bytes, turns, leaves }) => {
            const cancel = new AbortController()
            const taken = memory.take(bytes, cancel.signal)
            if (leaves) setImmediate(() => cancel.abort(new Error("left")))
            try {
              using _ = await taken
              assert.ok(memory.used <= 10 || memory.used === bytes, `${memory.used} bytes`)
              for (let i = 0; i < turns; i++) await turn()
            } catch (error) {
              assert.equal((error as Error).message, "left")
            }
          }),
        )
        assert.equal(memory.used, 0)
      },
    ),
  )
})
