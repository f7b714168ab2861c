import assert from "node:assert/strict"
import { test } from "node:test"
import { openLive, type Sink } from "./hub.ts"
import { changingSource, handClock, siteStatus, views } from "./testing.ts"

test("a page gets nothing but what changed since it was rendered", () => {
  const { live, set, clock } = open()
  const version = live.version()
  set(siteStatus("a", { state: "down", reason: "gone" }), b)
  clock.advance(0)
  const page = join(live, version)
  assert.deepEqual(page.take(), [
    {
      retry: "3750",
      id: "run-1",
      event: "changes",
      data: {
        id: "run-1",
        now: START,
        all: false,
        rows: [["a", "<tr>a down gone</tr>"]],
        gone: [],
        details: ["a", "b"],
        summary: { title: "1 down", icon: "/ok.svg", parts: { headline: "<b>2</b>" } },
      },
    },
  ])
  set(siteStatus("a"), b)
  clock.advance(1000)
  assert.deepEqual(page.rows(), [["a", "<tr>a ok </tr>"]])
})

test("a page that was away, or polls, learns of a site of which only its own page changed", () => {
  const { live, touch, clock } = open()
  const version = live.version()
  touch("b")
  clock.advance(0)
  assert.notEqual(live.version(), version)
  assert.deepEqual([live.since(version).rows, live.since(version).details], [[], ["b"]])
  assert.deepEqual(live.since(live.version()).details, [])
  assert.deepEqual(live.since(undefined).details, ["a", "b"])
})

test("all changes of a second are one event, of each site once", () => {
  const { live, set, clock } = open()
  const page = join(live, live.version())
  page.take()
  set(siteStatus("a", { reason: "1" }), b)
  clock.advance(0)
  set(siteStatus("a", { reason: "2" }), b)
  clock.advance(500)
  set(siteStatus("a", { reason: "3" }), siteStatus("b", { state: "stale" }))
  clock.advance(499)
  assert.deepEqual(
    page.take().map(({ id }) => id),
    ["run-1"],
  )
  clock.advance(1)
  assert.deepEqual(page.rows(), [
    ["a", "<tr>a ok 3</tr>"],
    ["b", "<tr>b stale </tr>"],
  ])
})

test("nothing is sent for a row that looks the same, nor for a summary that does", () => {
  const { live, set, clock } = open()
  const page = join(live, live.version())
  page.take()
  set(siteStatus("a", { since: new Date(0) }), b)
  clock.advance(1000)
  const [event] = page.take()
  assert.deepEqual([event?.data.rows, event?.data.details], [[], ["a", "b"]])
})

test("a site that was removed is gone from open pages, and from those that come back", () => {
  const { live, set, clock } = open()
  const page = join(live, live.version())
  const before = live.version()
  page.take()
  set(b)
  clock.advance(1000)
  assert.deepEqual(page.take()[0]?.data.gone, ["a"])
  assert.deepEqual(live.since(before).gone, ["a"])
  set(siteStatus("a"), b)
  clock.advance(1000)
  assert.deepEqual([live.since(before).gone, live.since(before).rows], [[], [["a", "<tr>a ok </tr>"]]])
})

test("what many pages lack that come at once is written once, and again when it is another time or more", () => {
  const { live, set, clock } = open()
  const events = (version?: string): unknown => {
    const written: unknown[] = []
    live.join({ write: (event) => written.push(event), queued: () => 0, end() {}, destroy() {} }, version)()
    return written[1]
  }
  const first = events()
  assert.ok(first instanceof Buffer)
  assert.equal(events("earlier-7"), first)
  assert.notEqual(events("run-0"), first)
  const second = events()
  clock.advance(1000)
  assert.notEqual(events(), second)
  const third = events()
  set(siteStatus("a", { state: "down" }), b)
  clock.advance(0)
  assert.notEqual(events(), third)
})

test("a page of another run of the portal, of the future or of none gets everything", () => {
  const { live } = open()
  for (const version of ["earlier-0", "run-1", "run-", "run-x", "run--1", "", undefined]) {
    const { all, rows, gone } = live.since(version)
    assert.deepEqual([all, rows.map(([name]) => name), gone], [true, ["a", "b"], []], version)
  }
  assert.equal(live.since("run-0").all, false)
})

test("a page whose removed sites are forgotten gets everything", () => {
  const { live, set, clock } = open()
  const many = Array.from({ length: 5001 }, (_, index) => siteStatus(`site-${index}`))
  set(...many)
  clock.advance(1000)
  const full = live.version()
  set(...many.slice(0, 1))
  clock.advance(1000)
  assert.equal(live.since(full).gone.length, 5000)
  set()
  clock.advance(1000)
  assert.equal(live.since(full).all, true)
})

test("every 15 s a beat with the portal's time", () => {
  const { live, clock } = open()
  const page = join(live, live.version())
  page.take()
  clock.advance(14_999)
  assert.deepEqual(page.take(), [])
  clock.advance(15_001)
  assert.deepEqual(
    page.text(),
    `: alive\nevent: beat\ndata: ${START + 15_000}\n\n: alive\nevent: beat\ndata: ${START + 30_000}\n\n`,
  )
})

test("a client with more than 1 MiB queued is cut, and lacks nothing when it is back", () => {
  const { live, set, clock } = open()
  const slow = join(live, live.version())
  const other = join(live, live.version())
  const id = slow.take()[0]?.id ?? ""
  slow.queue = 1_048_576
  set(siteStatus("a", { state: "down" }), b)
  clock.advance(1000)
  assert.deepEqual([slow.rows().length, slow.cut], [1, false])
  slow.queue = 1_048_577
  set(siteStatus("a", { state: "down" }), siteStatus("b", { state: "down" }))
  clock.advance(1000)
  assert.deepEqual([slow.take(), slow.cut, other.cut], [[], true, false])
  assert.deepEqual(join(live, id).rows(), [
    ["a", "<tr>a down </tr>"],
    ["b", "<tr>b down </tr>"],
  ])
})

test("no more than 256 streams, and a place is free when one ends", () => {
  const { live } = open()
  const pages = Array.from({ length: 256 }, () => join(live, live.version()))
  assert.equal(live.isFull(), true)
  pages[0]?.leave()
  assert.equal(live.isFull(), false)
})

test("closing ends streams, cuts those that are behind, and leaves neither timers nor subscriptions", () => {
  const { live, clock, listeners } = open()
  const [behind, other] = [join(live, live.version()), join(live, live.version())]
  behind.queue = 1
  live.close()
  live.close()
  assert.deepEqual([behind.cut, behind.ended, other.cut, other.ended], [true, false, false, true])
  assert.deepEqual([listeners(), live.isFull(), clock.waiting()], [0, true, 0])
})

const START = Date.parse("2026-11-30T14:00:00Z")
const b = siteStatus("b")

function open() {
  const changing = changingSource(siteStatus("a"), b)
  const clock = handClock()
  const live = openLive({ source: changing.source, views, clock, random: () => 0.5, epoch: "run" })
  return { live, clock, ...changing }
}

interface Event {
  readonly retry?: string
  readonly id: string
  readonly event: string
  readonly data: ReturnType<ReturnType<typeof openLive>["since"]>
}

/** A page whose connection a test holds in its hands. */
function join(live: ReturnType<typeof openLive>, version: string) {
  let written = ""
  const page = {
    queue: 0,
    cut: false,
    ended: false,
    leave: () => {},
    text(): string {
      const text = written
      written = ""
      return text
    },
    take: (): readonly Event[] =>
      page
        .text()
        .split("\n\n")
        .filter((block) => block !== "" && !block.startsWith(":"))
        .map((block) => {
          const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/, 2)))
          return { ...fields, data: JSON.parse(fields.data) }
        }),
    rows: () => page.take()[0]?.data.rows ?? [],
  }
  const sink: Sink = {
    write: (event) => void (written += event.toString()),
    queued: () => page.queue,
    end: () => void (page.ended = true),
    destroy: () => void (page.cut = true),
  }
  page.leave = live.join(sink, version)
  return page
}
