import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log.ts"
import { createDigests } from "./digests.ts"
import { createDrift } from "./drift.ts"
import type { Reading } from "./reading.ts"
import { targetOf } from "./testing.ts"

const PATH = { name: "k/services", segments: ["k", "services"], cluster: false, namespaced: true }

/** `5x` are 5 items with the digest x, `5` are those of a collection without digests, `5!` had no time for a digest. */
function readingOf(text: string): Reading {
  const [, items, digest] = /^(\d+)(\w|!)?$/.exec(text) ?? []
  const made = digest !== undefined && digest !== "!"
  const place = { kind: "counted", keys: 1, members: Number(items), digest: made ? digest : undefined } as const
  return { places: [place], way: "query", opaSeconds: 0, digests: made, ...(digest === "!" && { gaveUpAfter: 0 }) }
}

/** Collections every 30 s of a service's pods, such as `a:5x b:-`, where b can't be read; digests are due each hour. */
function drifting() {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const digests = createDigests({ interval: 3600, budget: 1 })
  const drift = createDrift([PATH], digests, log)
  let at = 1_000_000
  /** Whether the pods agree, since when they don't, and whether digests are taken in the next collection. */
  const collect = (text: string, { takes = /\d[a-z!]/.test(text) } = {}) => {
    at += 30_000
    const pods = text.split(" ").map((one) => one.split(":"))
    const target = (pod = "") => targetOf(1, { pod })
    const readings = pods.flatMap(([pod, held = "-"]) =>
      held === "-" ? [] : [[target(pod), readingOf(held)] as const],
    )
    const unread = pods.flatMap(([pod, held]) => (held === "-" ? [target(pod)] : []))
    if (takes) digests.taken(at, readings)
    const [row] = drift.compare(at, readings, unread)
    const odd = [...(row?.comparison.odd ?? [])].toSorted().join(" ")
    const inSync = row?.comparison.inSync
    return { inSync, odd, since: row?.since && row.since - 1_030_000, digestsNext: digests.due(at + 30_000) }
  }
  return { collect, log: () => lines.join("") }
}

const SAME = { inSync: true, odd: "", since: undefined, digestsNext: false }
const ODD_B = { inSync: false, odd: "b", since: 0, digestsNext: true }

test("a difference of digests stays until the pod that was away is seen to agree by digest", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y c:5x"), ODD_B)
  assert.deepEqual(collect("a:5x b:- c:5x"), ODD_B)
  assert.deepEqual(collect("a:5 b:5 c:5"), ODD_B)
  assert.deepEqual(collect("a:5x b:5y c:5x"), ODD_B)
  assert.deepEqual(collect("a:5x b:5x c:5x"), SAME)
})

test("a difference of digests stays while the number of items changes everywhere between two digests", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:6 b:6 c:6"), ODD_B)
  assert.deepEqual(collect("a:6z b:6z c:6z"), SAME)
})

test("a difference of digests stays while an OPA is too slow to make them", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:5x b:5! c:5x"), ODD_B)
})

test("of two pods either one hides the difference while it can't be read, and ends it where it leaves", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y"), ODD_B)
  assert.deepEqual(collect("a:- b:5y"), ODD_B)
  assert.deepEqual(collect("a:5x b:-"), ODD_B)
  assert.deepEqual(collect("b:5y"), SAME)
})

test("a difference ends with digests, where an OPA makes none any more", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:5x b:5 c:5x"), SAME)
})

test("a difference of items ends when there are as many, without digests", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5 b:4 c:5"), { ...ODD_B, digestsNext: true })
  collect("a:5x b:4y c:5x")
  assert.deepEqual(collect("a:5 b:5 c:5"), SAME)
})

test("the log names ten of the pods that differ", () => {
  const { collect, log } = drifting()
  const pods = (count: number, held: string, prefix: string) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}:${held}`).join(" ")
  collect(`${pods(3, "5", "a")} ${pods(2, "4", "b")}`)
  assert.match(log(), / odd="b0 b1"\n/)
  const many = drifting()
  many.collect(`${pods(260, "5", "a")} ${pods(240, "4", "b")}`)
  assert.match(many.log(), / odd="b0 b1 b10 b100 b101 b102 b103 b104 b105 b106 and 230 others"\n/)
})
