import assert from "node:assert/strict"
import { test } from "node:test"
import { hashSync } from "bcryptjs"
import { basicAuth } from "./basic-auth.ts"

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

/** Stands in for bcrypt where calls are counted: the hash is `hash of PASSWORD`. */
function counting() {
  const calls: string[] = []
  return {
    calls,
    verify: (password: string, hash: string) => {
      calls.push(`${password}|${hash}`)
      return Promise.resolve(hash === `hash of ${password}`)
    },
  }
}

test("real bcrypt hashes of all three spellings are understood, wrong passwords refused", async () => {
  const hash = hashSync("s3cret:ü", 4)
  for (const version of ["2a", "2b", "2y"]) {
    const check = basicAuth(new Map([["alice", hash.replace(/^\$2./, `$${version}`)]]))
    assert.equal(await check(basic("alice", "s3cret:ü")), "accepted")
    assert.equal(await check(basic("alice", "s3cret")), "refused")
    assert.equal(await check(basic("bob", "s3cret:ü")), "refused")
  }
})

test("anything but a Basic header with user and password is refused without a check", async () => {
  const { verify, calls } = counting()
  const check = basicAuth(new Map([["", "hash of "]]), verify)
  const invalidUtf8 = `Basic ${Buffer.from([0x3a, 0xff]).toString("base64")}`
  for (const header of [undefined, "", "Basic", "Basic !", "Bearer eDp5", "Basic eA==", invalidUtf8]) {
    assert.equal(await check(header), "refused", header)
  }
  assert.deepEqual(calls, [])
})

test("a right password is checked once, a wrong one every time", async () => {
  const { verify, calls } = counting()
  const check = basicAuth(new Map([["alice", "hash of a"]]), verify)
  for (const password of ["a", "a", "b", "b"]) await check(basic("alice", password))
  assert.deepEqual(calls, ["a|hash of a", "b|hash of a", "b|hash of a"])
})

test("an unknown user costs one comparison with an existing hash, and even the right password of that is refused", async () => {
  const { verify, calls } = counting()
  const check = basicAuth(new Map([["alice", "hash of a"]]), verify)
  assert.equal(await check(basic("mallory", "a")), "refused")
  assert.equal(await check(basic("mallory", "a")), "refused")
  assert.deepEqual(calls, ["a|hash of a", "a|hash of a"])
})

test("a user name made of another user's name and hash does not share its memory (CVE-2022-46146)", async () => {
  const { verify } = counting()
  const check = basicAuth(new Map([["alice", "hash of a"]]), verify)
  assert.equal(await check(basic("alice", "a")), "accepted")
  for (const [user, password] of [
    ["alice9:hash of a", "a"],
    ["alicehash of a", "a"],
    ["alice", "9:hash of a1:a"],
    ["", "alicehash of aa"],
  ]) {
    assert.equal(await check(basic(user ?? "", password ?? "")), "refused")
  }
})

test("equal checks at the same time are one, different ones run one after another, and too many are turned away", async () => {
  let running = 0
  let most = 0
  const waiting: (() => void)[] = []
  const verify = async (): Promise<boolean> => {
    most = Math.max(most, ++running)
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    await promise
    running -= 1
    return true
  }
  const check = basicAuth(new Map([["alice", "hash"]]), verify)
  const equal = Promise.all([check(basic("alice", "x")), check(basic("alice", "x"))])
  const others = Array.from({ length: 40 }, (_, index) => check(basic("alice", String(index))))
  const all = Promise.all([equal, ...others])
  for (let checked = 0; checked < 33;) {
    const next = waiting.shift()
    next?.()
    if (next !== undefined) checked += 1
    await new Promise(setImmediate)
  }
  const verdicts = (await all).flat()
  assert.deepEqual(
    {
      most,
      accepted: verdicts.filter((v) => v === "accepted").length,
      busy: verdicts.filter((v) => v === "busy").length,
    },
    { most: 1, accepted: 34, busy: 8 },
  )
})

test("a check that fails is an error of its own request and not of the next", async () => {
  let first = true
  const check = basicAuth(new Map([["a", "hash"]]), () => {
    if (!first) return Promise.resolve(true)
    first = false
    return Promise.reject(new Error("broken"))
  })
  await assert.rejects(check(basic("a", "x")), /broken/)
  assert.equal(await check(basic("a", "x")), "accepted")
})
