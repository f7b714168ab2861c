import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { boundedMemory, type HeldResponse } from "./memory.ts"

interface Held extends HeldResponse {
  held: number
  evicted: string | undefined
}

function open(limit: number) {
  const memory = boundedMemory(limit, () => false)
  const hold = (...readers: readonly string[]): Held => {
    const one: Held = {
      held: 0,
      evicted: undefined,
      readers: new Set(readers),
      evict(error) {
        memory.give(one.held)
        memory.held.delete(one)
        one.held = 0
        one.evicted = (error as Error & { code?: string }).code
      },
    }
    memory.held.add(one)
    return one
  }
  /** The code of the error, where there is one. */
  const grow = (one: Held, bytes: number): string | undefined => {
    try {
      memory.takeFor(one, bytes)
      one.held += bytes
      return undefined
    } catch (error) {
      return (error as Error & { code?: string }).code
    }
  }
  return { memory, hold, grow }
}

test("refuses a client that fills the memory alone", () => {
  const { hold, grow } = open(100)
  const [first, second] = [hold("a"), hold("a")]
  assert.deepEqual([grow(first, 90), grow(second, 20), first.evicted], [undefined, "MEMORY_SHARE", undefined])
})

test("takes what several read from none of them, and counts a part for each", () => {
  const { hold, grow } = open(100)
  const shared = hold("a", "b", "c")
  const own = hold("d")
  grow(shared, 45)
  grow(own, 40)
  const next = hold("a")
  assert.deepEqual([grow(next, 20), own.evicted, shared.evicted], [undefined, "MEMORY_SHARE", undefined])
  assert.equal(grow(next, 50), "MEMORY_SHARE")
})

test("says that the memory is full where no client takes more than its part", () => {
  const { hold, grow } = open(100)
  grow(hold("a", "b"), 96)
  assert.equal(grow(hold("c"), 10), "MEMORY_FULL")
})

test("takes nothing from a client within its part, whatever others do", () => {
  const clients = ["a", "b", "c", "d"]
  const step = fc.record({
    name: fc.constantFrom(...clients),
    bytes: fc.integer({ min: 1, max: 400 }),
    fresh: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { memory, hold, grow } = open(1000)
      const all: Held[] = []
      const shareOf = (name: string): number =>
        all.filter(({ readers }) => readers.has(name)).reduce((sum, { held }) => sum + held, 0)
      for (const { name, bytes, fresh } of steps) {
        const last = fresh
          ? undefined
          : all.findLast(({ readers, evicted }) => readers.has(name) && evicted === undefined)
        const one = last ?? hold(name)
        if (last === undefined) all.push(one)
        const before = new Map(clients.map((client) => [client, shareOf(client)]))
        const failed = grow(one, bytes)
        for (const [client, share] of before) {
          const kept = shareOf(client) >= share
          assert.ok(kept || share > 1000 / clients.length, `${client} lost a response with ${share} bytes`)
        }
        if (failed !== undefined)
          assert.ok((before.get(name) ?? 0) + bytes > 1000 / clients.length, `${name} was refused`)
        assert.ok(memory.used <= 1000)
        assert.equal(
          memory.used,
          all.reduce((sum, { held }) => sum + held, 0),
        )
      }
    }),
  )
})
