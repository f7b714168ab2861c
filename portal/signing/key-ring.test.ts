import assert from "node:assert/strict"
import { test } from "node:test"
import { publicPart } from "./key.ts"
import { advance, type Circumstances, firstRing, type KeyRing, ringAfterLoss } from "./key-ring.ts"

const START = 1_800_000_000
const DAY = 86_400
const at = (seconds: number, about: Partial<Circumstances> = {}): Circumstances => ({
  now: START + seconds,
  alg: "ES256",
  lifetime: 3600,
  keyAge: 30 * DAY,
  isRefused: () => false,
  ...about,
})

/** Keys by the order in which they were first seen, so that a ring is `signing a, retired b`. */
function namer() {
  const letters = new Map<string, string>()
  return ({ keys }: KeyRing): string =>
    keys
      .map(({ kid, state }) => {
        const letter = letters.get(kid) ?? String.fromCodePoint(97 + letters.size)
        letters.set(kid, letter)
        return `${state} ${letter}`
      })
      .toSorted()
      .join(", ")
}

/** The rings at these times, each from the one before. */
async function through(ring: KeyRing, steps: readonly Circumstances[]): Promise<readonly string[]> {
  const show = namer()
  const shown = [show(ring)]
  let current = ring
  for (const step of steps) {
    current = await advance(current, step)
    shown.push(show(current))
  }
  return shown
}

const first = () => firstRing(at(0))
const rotate = (id: string, now = false, dropOld = false) => ({ rotation: { id, now, dropOld } })

test("the first key signs at once, and nothing changes before it is old", async () => {
  const ring = await first()
  assert.equal(await advance(ring, at(29 * DAY)), ring)
})

test("a key is replaced at its age by one that was published 10 minutes before, and stays for a token's life and 5 minutes", async () => {
  assert.deepEqual(
    await through(await first(), [
      at(30 * DAY - 601),
      at(30 * DAY - 600),
      at(30 * DAY - 1),
      at(30 * DAY),
      at(30 * DAY + 3899),
      at(30 * DAY + 3900),
    ]),
    [
      "signing a",
      "signing a",
      "next b, signing a",
      "next b, signing a",
      "retired a, signing b",
      "retired a, signing b",
      "signing b",
    ],
  )
})

test("with the age 0 a key is replaced on demand alone", async () => {
  assert.deepEqual(
    await through(await first(), [
      at(3000 * DAY, { keyAge: 0 }),
      at(3000 * DAY, { keyAge: 0, ...rotate("1") }),
      at(3000 * DAY + 600, { keyAge: 0, ...rotate("1") }),
      at(3001 * DAY, { keyAge: 0, ...rotate("1") }),
    ]),
    ["signing a", "signing a", "next b, signing a", "retired a, signing b", "signing b"],
  )
})

test("a site that refuses the next key holds the switch back for a day, and no longer", async () => {
  const isRefused = (): boolean => true
  assert.deepEqual(
    await through(await first(), [
      at(0, rotate("1")),
      at(600, { isRefused }),
      at(DAY - 1, { isRefused }),
      at(DAY, { isRefused }),
    ]),
    ["signing a", "next b, signing a", "next b, signing a", "next b, signing a", "retired a, signing b"],
  )
})

test("--now signs at once with the next key where there is one, else with a new one", async () => {
  assert.deepEqual(
    await through(await first(), [at(0, rotate("1")), at(1, rotate("2", true)), at(2, rotate("3", true))]),
    ["signing a", "next b, signing a", "retired a, signing b", "retired a, retired b, signing c"],
  )
})

test("--drop-old publishes a new key alone: who read one on the disk could read the next one too", async () => {
  assert.deepEqual(await through(await first(), [at(0, rotate("1")), at(1, rotate("2", true, true))]), [
    "signing a",
    "next b, signing a",
    "signing c",
  ])
})

test("a rotation that is wished while one is under way is that one: there never are two next keys", async () => {
  const shown = await through(await first(), [at(10, rotate("1")), at(20, rotate("2")), at(620)])
  assert.deepEqual(shown, ["signing a", "next b, signing a", "next b, signing a", "retired a, signing b"])
})

test("a key that was retired when the keys were lost stays published no longer for that", async () => {
  const ring = await advance(await first(), at(0, rotate("1", true)))
  const retired = ring.keys.find(({ state }) => state === "retired") ?? assert.fail()
  const after = await ringAfterLoss(ring.keys, at(100))
  assert.equal(after.keys.find(({ kid }) => kid === retired.kid)?.until, retired.until)
})

test("a request is served once", async () => {
  const ring = await advance(await first(), at(0, rotate("1", true)))
  assert.equal(await advance(ring, at(1, rotate("1", true))), ring)
})

test("there never are more than three keys: another rotation waits until the oldest has ended, and --now drops it", async () => {
  const now = (id: string) => rotate(id, true)
  assert.deepEqual(
    await through(await first(), [
      at(1, now("1")),
      at(2, now("2")),
      at(3, rotate("3")),
      at(4, now("4")),
      at(3902, rotate("5")),
    ]),
    [
      "signing a",
      "retired a, signing b",
      "retired a, retired b, signing c",
      "retired a, retired b, signing c",
      "retired b, retired c, signing d",
      "next e, retired c, signing d",
    ],
  )
})

test("lost keys stay published, and the new one signs 10 minutes after it was published, whoever refuses it", async () => {
  const lost = (await first()).keys.map((key) => ({ ...key, jwk: publicPart(key.jwk) }))
  const isRefused = (): boolean => true
  const ring = await ringAfterLoss(lost, at(0))
  assert.deepEqual(await through(ring, [at(599, { isRefused }), at(600, { isRefused }), at(3900)]), [
    "next a, retired b",
    "next a, retired b",
    "retired b, signing a",
    "signing a",
  ])
})
