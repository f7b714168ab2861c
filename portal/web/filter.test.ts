import assert from "node:assert/strict"
import test from "node:test"
import { matcher, parseFilter, sorted, SORTS, toQuery } from "./filter.ts"
import { fakeSite, fakeSites, NOW } from "./fake-sites.testing.ts"

const parsed = (query: string) => parseFilter(new URLSearchParams(query))

test("reads state, reason, q and sort, and writes the shortest query that gives them", () => {
  const filter = parsed(
    "?q=%20Bonn%20+location%3Da%20&state=stale,down&state=down&reason=tls_expired&sort=-name&other=1",
  )
  assert.deepEqual(filter, {
    states: ["down", "stale"],
    reason: "tls_expired",
    q: "Bonn  location=a",
    sort: { key: "name", reversed: true },
    faults: [],
  })
  assert.equal(toQuery(filter), "?state=down,stale&reason=tls_expired&q=Bonn++location=a&sort=-name")
  assert.deepEqual(parsed(toQuery(filter)), filter)
  assert.equal(toQuery(parsed("?state=&q=&sort=state&reason=")), "")
})

test("names what it does not understand, and then finds nothing rather than everything", () => {
  const filter = parsed(`?state=green&sort=<b>&q=${"x".repeat(100_000)}&reason=${"y".repeat(201)}`)
  assert.deepEqual(filter.faults, [
    "state must be any of down, stale, attention, waiting, ok, paused, unknown.",
    "sort must be one of state, name, since, last, series, duration, with a - before it for the reverse.",
    "q must be at most 200 characters long.",
    "reason must be at most 200 characters long.",
  ])
  for (const one of [filter, parsed("?sort=bogus"), parsed("?state=down,bogus")])
    assert.equal(fakeSites(30).some(matcher(one)), false)
  for (const name of ["__proto__", "constructor", "toString", "-", "--name", "-constructor"]) {
    assert.equal(parsed(`?sort=${name}&state=${name}`).faults.length, 2, name)
  }
})

const found = (query: string): readonly string[] =>
  [
    fakeSite("bonn", {
      labels: { location: "Bonn", region: "west" },
      state: "down",
      cause: "refused",
      reason: "Connection Refused.",
    }),
    fakeSite("berlin", {
      labels: { location: "Berlin Mitte", region: "east" },
      url: "https://metrics.bonn.example.org:8443",
    }),
    fakeSite("west", { labels: { location: "Kiel" }, state: "stale", cause: "refused", reason: null }),
  ]
    .filter(matcher(parsed(query)))
    .map(({ name }) => name)

test("finds sites of any of the states, with the cause", () => {
  assert.deepEqual(found("?state=down,stale"), ["bonn", "west"])
  assert.deepEqual(found("?reason=refused"), ["bonn", "west"])
  assert.deepEqual(found("?reason=refused&state=down"), ["bonn"])
  assert.deepEqual(found("?reason=other"), [])
})

test("finds words in name, host, reason and label values; all of them must match", () => {
  assert.deepEqual(found("?q=bonn"), ["bonn", "berlin"])
  assert.deepEqual(found("?q=BONN+8443"), ["berlin"])
  assert.deepEqual(found("?q=refused"), ["bonn"])
  assert.deepEqual(found("?q=mitte+berlin"), ["berlin"])
  assert.deepEqual(found("?q=west"), ["bonn", "west"])
  // neither the scheme nor the names of labels
  assert.deepEqual(found("?q=https"), [])
  assert.deepEqual(found("?q=region"), [])
})

test("finds a label by key=value, as a whole", () => {
  assert.deepEqual(found("?q=region=west"), ["bonn"])
  assert.deepEqual(found("?q=REGION%3DWest"), ["bonn"])
  assert.deepEqual(found("?q=region=wes"), [])
  assert.deepEqual(found("?q=egion=west"), [])
  assert.deepEqual(found("?q=location=berlin"), [])
})

const at = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000)
const LIST = [
  fakeSite("c", { state: "ok", since: at(5), lastDelivery: at(1), series: 10, durationSeconds: 0.2 }),
  fakeSite("a", { state: "down", since: at(1), lastDelivery: at(3), series: null, durationSeconds: null }),
  fakeSite("b", { state: "down", since: at(9), lastDelivery: null, series: 0, durationSeconds: 3 }),
  fakeSite("d", {
    state: "unknown",
    lastState: "stale",
    since: at(2),
    lastDelivery: at(2),
    series: 30,
    durationSeconds: 1,
  }),
  fakeSite("e", {
    state: "unknown",
    lastState: "down",
    since: at(2),
    lastDelivery: at(2),
    series: 30,
    durationSeconds: 1,
  }),
]

test("sorts by state and then by the longest time in it, or by a column; equal sites stand by name", () => {
  const orders = SORTS.flatMap((key) =>
    [false, true].map(
      (reversed) =>
        `${reversed ? "-" : ""}${key} ${sorted(LIST, { key, reversed })
          .map(({ name }) => name)
          .join("")}`,
    ),
  )
  assert.deepEqual(orders, [
    "state baced",
    "-state decab",
    "name abcde",
    "-name edcba",
    "since bcdea",
    "-since adecb",
    "last badec",
    "-last cdeab",
    "series decba",
    "-series abcde",
    "duration bdeca",
    "-duration acdeb",
  ])
})
