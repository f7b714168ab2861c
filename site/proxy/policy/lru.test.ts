import assert from "node:assert/strict"
import { test } from "node:test"
import { Lru } from "./lru.ts"

test("the entry that was used least recently gives way", () => {
  const lru = new Lru<string, number>(2)
  lru.set("a", 1)
  lru.set("b", 2)
  lru.get("a")
  lru.set("c", 3)
  assert.deepEqual([lru.get("a"), lru.get("b"), lru.get("c"), lru.size], [1, undefined, 3, 2])
})

test("what is replaced or deleted weighs nothing any more", () => {
  const lru = new Lru<string, number>(10, (key) => key.length)
  lru.set("four", 1)
  lru.set("four", 2)
  lru.set("sixsix", 3)
  assert.equal(lru.size, 2)
  lru.delete("four")
  lru.set("more", 4)
  assert.deepEqual([lru.get("sixsix"), lru.get("more")], [3, 4])
})

test("an entry that is too heavy by itself is not kept", () => {
  const lru = new Lru<string, number>(3, (key) => key.length)
  lru.set("four", 1)
  assert.equal(lru.size, 0)
})
