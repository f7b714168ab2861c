import assert from "node:assert/strict"
import { test } from "node:test"
import { openPlacement, type Placed } from "./placement.ts"

/** A placement at a time that the test sets, on shards to which all sites are pinned. */
function place(...shards: readonly string[]) {
  let seconds = 0
  const placement = openPlacement(shards, () => seconds)
  return {
    ...placement,
    at: (next: number) => void (seconds = next),
    /** Which shards scrape it, and after a colon whose word counts. */
    of: (name: string): string =>
      `${shards.filter((one) => placement.has(one, name)).join()}:${placement.ownerOf(name)}`,
    ended: (): readonly string[] =>
      placement.end().map(({ site, from, to, late }) => `${site} ${from.join()}>${to}${late ? " late" : ""}`),
  }
}

const site = (name: string, shard: string, about: Partial<Placed> = {}): Placed => ({
  name,
  shard,
  interval: 30,
  ...about,
})

test("leaves a site at its old shard until the new one has delivered for an interval", () => {
  const placed = place("a", "b")
  placed.list([site("x", "a"), site("y", "a")])
  assert.deepEqual([placed.of("x"), placed.of("y"), placed.ended()], ["a:a", "a:a", []])
  placed.list([site("x", "b"), site("y", "a")])
  assert.deepEqual([placed.of("x"), placed.of("y")], ["a,b:a", "a:a"])
  placed.at(100)
  assert.deepEqual(placed.ended(), [])
  assert.deepEqual(
    [placed.delivers("x", "a"), placed.delivers("x", "b"), placed.delivers("x", "b")],
    [false, true, false],
  )
  assert.equal(placed.of("x"), "a,b:b")
  placed.at(129)
  assert.deepEqual(placed.ended(), [])
  placed.at(130)
  assert.deepEqual([placed.ended(), placed.of("x"), placed.ended()], [["x a>b"], "b:b", []])
})

test("ends a move that delivers nothing after an hour and two intervals, and says so", () => {
  const placed = place("a", "b")
  placed.list([site("x", "a")])
  placed.list([site("x", "b")])
  placed.at(3659)
  assert.deepEqual(placed.ended(), [])
  placed.at(3660)
  assert.deepEqual([placed.ended(), placed.of("x")], [["x a>b late"], "b:b"])
})

test("waits up to 30 s for moves that are about to end: one reload for many", () => {
  const placed = place("a", "b")
  const names = ["x", "y", "z"]
  placed.list(names.map((name) => site(name, "a")))
  placed.list([site("x", "b"), site("y", "b"), site("z", "b", { interval: 600 })])
  placed.at(10)
  placed.delivers("x", "b")
  placed.at(15)
  placed.delivers("y", "b")
  placed.at(40)
  assert.deepEqual(placed.ended(), [])
  placed.at(45)
  assert.deepEqual(placed.ended(), ["x a>b", "y a>b"])
  placed.at(50)
  placed.delivers("z", "b")
  placed.at(650)
  assert.deepEqual(placed.ended(), ["z a>b"])
})

test("goes on where an earlier process was in the midst of a move", () => {
  const placed = place("a", "b", "c")
  placed.resume(
    new Map([
      ["a", ["moved", "half", "kept", "gone"]],
      ["b", ["half"]],
    ]),
  )
  placed.list([site("moved", "b"), site("half", "b"), site("kept", "a"), site("new", "c")])
  assert.deepEqual(["moved", "half", "kept", "new", "gone"].map(placed.of), [
    "a,b:a",
    "a,b:a",
    "a:a",
    "c:c",
    `:${placed.ownerOf("gone")}`,
  ])
})

test("follows a site that is sent elsewhere while it moves, and back", () => {
  const placed = place("a", "b", "c")
  placed.list([site("x", "a")])
  placed.list([site("x", "b")])
  placed.list([site("x", "c")])
  assert.equal(placed.of("x"), "a,b,c:a")
  placed.list([site("x", "a")])
  assert.equal(placed.of("x"), "a:a")
  placed.list([site("x", "b")])
  placed.delivers("x", "b")
  placed.list([site("x", "a")])
  assert.equal(placed.of("x"), "a,b:b")
})

test("moves a paused site at once: nothing is lost", () => {
  const placed = place("a", "b")
  placed.list([site("x", "a", { paused: {} })])
  placed.list([site("x", "b", { paused: {} })])
  assert.equal(placed.of("x"), "b:b")
})
