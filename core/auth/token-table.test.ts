import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { sha256 } from "./secrets.ts"
import { findHash, packHashes } from "./token-table.ts"

const hashes = Array.from({ length: 50 }, (_, index) => sha256(`token ${index}`))
const table = packHashes(hashes.map((hash) => ({ sha256: hash })))

test("finds the row of each hash and of no other", () => {
  assert.deepEqual(
    hashes.map((hash) => findHash(table, hash)),
    hashes.map((_, row) => row),
  )
  assert.equal(findHash(table, sha256("token 50")), -1)
  assert.equal(findHash(packHashes([]), sha256("token 0")), -1)
})

test("one bit makes another hash", () => {
  fc.assert(
    fc.property(fc.nat(49), fc.nat(255), (row, bit) => {
      const hash = Buffer.from(hashes[row] ?? [])
      hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(findHash(table, hash), -1)
    }),
  )
})

/** How many words of the table a search looks at. */
function looks(hash: Buffer): number {
  let count = 0
  const watched = new Proxy(table, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) count++
      return Reflect.get(target, key, target) as unknown
    },
  })
  findHash(watched, hash)
  return count
}

test("looks at every word of every row, wherever the hash is and whether it is there", () => {
  for (const hash of [hashes[0], hashes[25], hashes[49], sha256("an unknown token")]) {
    assert.equal(looks(hash ?? Buffer.alloc(32)), 50 * 8)
  }
})
