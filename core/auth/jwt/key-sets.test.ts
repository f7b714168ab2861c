import assert from "node:assert/strict"
import { test } from "node:test"
import { createKeySets } from "./key-sets.ts"
import { noKeys } from "./remote-keys.ts"

const [RIGHT, MISTAKEN] = [new URL("https://right.example.org/"), new URL("https://mistaken.example.org/")]

function start() {
  const followed = new Set<string>()
  const keySets = createKeySets(({ href }) => {
    followed.add(href)
    return { ...noKeys, close: () => Promise.resolve(void followed.delete(href)) }
  })
  return { followed, keySets }
}

test("ends the keys of an issuer that only a policy which never came into force named", async () => {
  const { followed, keySets } = start()
  const keys = keySets.follow(RIGHT, undefined)
  await keySets.keepOnly([{ keys }])
  keySets.follow(MISTAKEN, undefined)
  assert.equal(keySets.follow(RIGHT, undefined), keys)
  assert.deepEqual([...followed], [RIGHT.href, MISTAKEN.href])
  await keySets.keepOnly([{ keys }])
  assert.deepEqual([...followed], [RIGHT.href])
})

test("follows the keys of an issuer anew once they were ended, and with another authority", async () => {
  const { followed, keySets } = start()
  const keys = keySets.follow(RIGHT, undefined)
  assert.notEqual(keySets.follow(RIGHT, "a certificate"), keys)
  await keySets.keepOnly([])
  assert.deepEqual([...followed], [])
  assert.notEqual(keySets.follow(RIGHT, undefined), keys)
  await keySets.close()
  assert.deepEqual([...followed], [])
})
