import assert from "node:assert/strict"
import { test } from "node:test"
import { RequestKey } from "./request-key.ts"
import type { Known } from "./resend-entry.ts"
import { createResends, type SharedEntry } from "./resends.ts"
import { type Answer, partsOf, sliceOf } from "./testing.ts"
import { keyed } from "./slice-keys.ts"
import type { Part } from "./verdict.ts"

const RULES = () => "these"
const of = (answers: readonly Answer[]) => new Map(partsOf(answers).map((part, index) => [`t${index}`, part]))
const keyFor = (body: string, sender = "a", version: 1 | 2 = 2) => new RequestKey(sender, version, Buffer.from(body))

function setUp({ time = 1000, bytes = 1_000_000 } = {}) {
  const clock = { now: 0 }
  const resends = createResends({ time, bytes }, () => clock.now)
  const known = (key: RequestKey, rules = RULES) => {
    const earlier = resends.find(key, rules)
    if (earlier === undefined) return undefined
    return ["t0", "t1", "t2"].map((slice) => describe(earlier.get(slice)))
  }
  return { clock, resends, known }
}

function describe(known: Known | undefined): string {
  if (known === undefined) return "send"
  if ("limitedSince" in known) return `limited since ${known.limitedSince}`
  return known.part instanceof Promise ? "in flight" : known.part.verdict
}

test("after a partial success, the tenants that are done are known, and those that are not are sent to again", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 400, 503]), true)
  assert.deepEqual(known(keyFor("x")), ["accepted", "refused", "send"])
  assert.equal(resends.entries, 1)
})

test("a limited tenant is sent to again, with the time since which it is limited", () => {
  const { resends, known } = setUp()
  const parts = of([429, 204])
  parts.set("t0", { ...(parts.get("t0") as Part), limitedSince: 7 })
  resends.note(keyFor("x"), RULES, parts, true)
  assert.deepEqual(known(keyFor("x")), ["limited since 7", "accepted", "send"])
})

test("what was accepted by all, or can never be, is forgotten", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  resends.note(keyFor("x"), RULES, of([204, 400]), true)
  assert.equal(known(keyFor("x")), undefined)
  assert.deepEqual([resends.entries, resends.bytes], [0, 0])
})

test("a failure of all tenants leaves nothing to remember", () => {
  const { resends } = setUp()
  resends.note(keyFor("x"), RULES, of([503, 0, 415]), true)
  assert.equal(resends.entries, 0)
})

test("a response that the sender did not get is remembered, also where all accepted", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 204, 204]), false)
  assert.deepEqual(known(keyFor("x")), ["accepted", "accepted", "accepted"])
})

test("slices in flight of a sender that has gone are known before they are done", async () => {
  const { resends, known } = setUp()
  const { promise, resolve } = Promise.withResolvers<Part>()
  resends.expect(keyFor("x"), RULES, new Map([["t1", promise]]))
  assert.deepEqual(known(keyFor("x")), ["send", "in flight", "send"])
  const [, part] = partsOf([204, 204])
  resolve(part as Part)
  const found = resends.find(keyFor("x"), RULES)?.get("t1")
  assert.equal(found !== undefined && "part" in found && (await found.part), part)
})

test("another body, version or sender is another request", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  for (const other of [keyFor("y"), keyFor("xx"), keyFor("x", "b"), keyFor("x", "a", 1)])
    assert.equal(known(other), undefined)
})

test("what was remembered under other rules is of other slices", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  assert.equal(
    known(keyFor("x"), () => "others"),
    undefined,
  )
})

test("slices of other tenants, groups and sizes have other keys, and those that differ in nothing of these a number", () => {
  const slices = [
    sliceOf("t0"),
    sliceOf("t1"),
    sliceOf("t0", { group: "replica-1" }),
    sliceOf("t0", { series: 6 }),
    sliceOf("t0", { bytes: 101 }),
    sliceOf("t0"),
  ]
  const keys = keyed(slices)
  assert.deepEqual([...keys.values()], slices)
  assert.deepEqual([...keyed(slices).keys()], [...keys.keys()])
})

test("it is forgotten after its time", () => {
  const { resends, known, clock } = setUp({ time: 1000 })
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  clock.now = 999
  assert.notEqual(known(keyFor("x")), undefined)
  clock.now = 1000
  assert.equal(known(keyFor("x")), undefined)
  assert.deepEqual([resends.entries, resends.bytes], [0, 0])
})

test("its memory is bounded, and a sender takes none of another's", () => {
  const { resends, known } = setUp({ bytes: 100_000 })
  resends.note(keyFor("first", "quiet"), RULES, of([204, 503]), true)
  for (let index = 0; index < 1000; index++) {
    resends.note(keyFor(`body ${index}`, "loud"), RULES, of([204, 503]), true)
    assert.ok(resends.bytes <= 26_000, String(resends.bytes))
  }
  assert.equal(known(keyFor("body 900", "loud")), undefined)
  assert.deepEqual(known(keyFor("body 999", "loud")), ["accepted", "send", "send"])
  assert.deepEqual(known(keyFor("first", "quiet")), ["accepted", "send", "send"])
  for (let sender = 0; sender < 300; sender++) resends.note(keyFor("x", `s${sender}`), RULES, of([204, 503]), true)
  assert.ok(resends.bytes <= 100_000, String(resends.bytes))
})

test("a request that is noted again takes the place of what was known of it", () => {
  const { resends, known } = setUp()
  resends.note(keyFor("x"), RULES, of([204, 503, 503]), true)
  const { bytes } = resends
  resends.note(keyFor("x"), RULES, of([503, 204, 503]), true)
  assert.deepEqual([resends.entries, resends.bytes], [1, bytes])
  assert.deepEqual(known(keyFor("x")), ["send", "accepted", "send"])
})

test("of two requests of one length the other is still known when one is over, and none when both are", () => {
  const { resends, known } = setUp()
  for (const body of ["x", "y", "other"]) resends.note(keyFor(body), RULES, of([204, 503]), true)
  resends.note(keyFor("x"), RULES, of([204, 204]), true)
  assert.deepEqual([known(keyFor("x")), known(keyFor("y"))], [undefined, ["accepted", "send", "send"]])
  resends.note(keyFor("y"), RULES, of([204, 204]), true)
  const unread = Object.defineProperties(keyFor("y"), { hash: { get: () => assert.fail("hashed") } })
  assert.equal(resends.find(unread, RULES), undefined)
})

test("where all senders together have too much, the one that has most loses its oldest", () => {
  const { resends, known } = setUp({ bytes: 20_000 })
  const note = (body: string, sender: string): void => resends.note(keyFor(body, sender), RULES, of([204, 503]), true)
  for (const sender of ["a", "b", "c"]) note("first", sender)
  for (let index = 0; index < 6; index++) for (const sender of ["a", "b", "c"]) note(`body ${index}`, sender)
  const isKnown = (body: string, sender: string): boolean => known(keyFor(body, sender)) !== undefined
  assert.ok(isKnown("first", "a"))
  for (let sender = 0; sender < 10; sender++) note("one", `quiet ${sender}`)
  assert.ok(resends.bytes <= 20_000, String(resends.bytes))
  assert.deepEqual(
    ["a", "b", "c"].map((sender) => [isKnown("first", sender), isKnown("body 5", sender)]),
    Array.from({ length: 3 }, () => [false, true]),
  )
  assert.ok(Array.from({ length: 10 }, (_, sender) => isKnown("one", `quiet ${sender}`)).every(Boolean))
})

test("many slices and long reasons count as the memory that they take", () => {
  const bytesOf = (answers: readonly Answer[]): number => {
    const { resends } = setUp()
    resends.note(keyFor("x"), RULES, of([503, ...answers]), true)
    return resends.bytes
  }
  const one = bytesOf([204])
  assert.ok(bytesOf([204, 204, 204]) > one + 600, String(bytesOf([204, 204, 204])))
  const [short, long] = ["a", "a".repeat(5001)].map((reason) => bytesOf([{ status: 400, reason }]))
  assert.equal(Number(long) - Number(short), 5000)
})

test("no body is hashed where no entry has its length", () => {
  const { resends } = setUp()
  const unread = (length: number): RequestKey =>
    Object.defineProperties(keyFor("x".repeat(length)), { hash: { get: () => assert.fail("hashed") } })
  assert.equal(resends.find(unread(1), RULES), undefined)
  resends.note(unread(1), RULES, of([204, 204]), true)
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  assert.equal(resends.find(unread(2), RULES), undefined)
  resends.note(unread(2), RULES, of([204, 204]), true)
  resends.note(unread(2), RULES, of([503, 0]), true)
})

test("others are told what is remembered and what is over, and nothing else, and know it then", () => {
  const shared: SharedEntry[] = []
  const resends = createResends(
    { time: 1000, bytes: 1_000_000 },
    () => 7,
    (one) => shared.push(one),
  )
  resends.note(keyFor("y"), RULES, of([503, 503]), true)
  resends.note(keyFor("x"), RULES, of([204, 503]), true)
  resends.note(keyFor("x"), RULES, of([204, 204]), true)
  const { sender, hash, length } = keyFor("x")
  assert.deepEqual(
    shared.map(({ slices, ...rest }) => ({ ...rest, slices: slices.map(([key]) => key) })),
    [["t0"], []].map((slices) => ({ sender, hash, length, rules: "these", at: 7, slices })),
  )
  const { resends: others, known } = setUp()
  const [remembered, over] = structuredClone(shared) as [SharedEntry, SharedEntry]
  others.put(remembered)
  assert.deepEqual(known(keyFor("x")), ["accepted", "send", "send"])
  others.put(over)
  assert.deepEqual([known(keyFor("x")), others.bytes], [undefined, 0])
})

test("what is too old takes no memory once something else is remembered", () => {
  const { resends, clock } = setUp({ time: 1000 })
  const remember = [
    () => resends.note(keyFor("new"), RULES, of([204, 503]), true),
    () => resends.expect(keyFor("new"), RULES, new Map()),
  ]
  for (const then of remember) {
    resends.note(keyFor("old"), RULES, of([204, 204, 503]), true)
    const { bytes } = resends
    clock.now += 1000
    then()
    assert.ok(resends.bytes < bytes, String(resends.bytes))
    clock.now += 1000
    assert.deepEqual([resends.entries, resends.bytes], [0, 0])
  }
})
