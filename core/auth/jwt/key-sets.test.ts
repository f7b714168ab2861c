import assert from "node:assert/strict"
import { test } from "node:test"
import { createKeySets } from "./key-sets.ts"
import { noKeys } from "./remote-keys.ts"

const [RIGHT, MISTAKEN] = [new URL("https://right.example.org/"), new URL("https://mistaken.example.org/")]

test("ends the keys of an issuer that only a policy which never came into force named", async () => {
  const followed = new Set<string>()
  const keySets = createKeySets(({ href }) => {
    followed.add(href)
    return { ...noKeys, close: () => Promise.resolve(void followed.delete(href)) }
  })
  keySets.begin()
  keySets.ofUrl(RIGHT, undefined)
  await keySets.finish()
  keySets.begin()
  keySets.ofUrl(MISTAKEN, undefined)
  keySets.begin()
  keySets.ofUrl(RIGHT, undefined)
  assert.deepEqual([...followed], [RIGHT.href, MISTAKEN.href])
  await keySets.finish()
  assert.deepEqual([...followed], [RIGHT.href])
})
