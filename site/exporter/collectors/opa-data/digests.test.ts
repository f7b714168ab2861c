import assert from "node:assert/strict"
import { test } from "node:test"
import { createDigests } from "./digests.ts"
import type { Place, Reading } from "./reading.ts"
import { fakeOpa, HOLDS, PATHS, startTestExporter, targetOf, targetsOf } from "./testing.ts"

const placeOf = (members: number, keys = 1, digest: string | null = "d1"): Place => ({
  kind: "counted",
  keys,
  members,
  digest: digest ?? undefined,
})
const readingOf = (place: Place, opaSeconds = 0.01, digests = true): Reading => ({
  places: [place],
  way: "query",
  opaSeconds,
  digests,
})
const target = targetOf(1)
const T = 1_000_000

test("digests are due at once, and then after their interval", () => {
  const digests = createDigests({ interval: 60, budget: 0.01 })
  assert.equal(digests.due(T), true)
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.deepEqual([digests.due(T + 30_000), digests.due(T + 59_900), digests.interval()], [false, true, 60])
})

test("a difference is looked at again at once, as far as the budget goes, for it may have been a moment's", () => {
  const digests = createDigests({ interval: 600, budget: 0.01 })
  digests.taken(T, [[target, readingOf(placeOf(5), 0.4)]])
  digests.differ(true)
  assert.deepEqual([digests.due(T + 30_000), digests.due(T + 40_000), digests.interval()], [false, true, 600])
  digests.differ(false)
  assert.equal(digests.due(T + 40_000), false)
})

test("a clock that is set back does not put digests off", () => {
  const digests = createDigests({ interval: 60, budget: 0.01 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.due(T - 3_600_000), true)
})

test("the interval is stretched so that the slowest OPA stays within its budget", () => {
  const digests = createDigests({ interval: 30, budget: 0.01 })
  digests.taken(T, [
    [target, readingOf(placeOf(5), 0.1)],
    [targetOf(2, { pod: "opa-1" }), readingOf(placeOf(5), 0.9)],
  ])
  assert.deepEqual([digests.interval(), digests.due(T + 80_000), digests.due(T + 90_000)], [90, false, true])
  digests.taken(T, [[target, readingOf(placeOf(5), 0.1)]])
  assert.equal(digests.interval(), 30)
})

test("a digest is known as long as nothing visibly changed", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.of(target, 0, placeOf(5, 1, null)), "d1")
  assert.equal(digests.of(target, 0, placeOf(5, 2, null)), "d1")
  assert.equal(digests.of(target, 0, placeOf(6, 1, null)), undefined)
  assert.equal(digests.of(target, 0, { kind: "undefined" }), undefined)
  assert.equal(digests.of(target, 1, placeOf(5)), undefined)
})

test("a pod that came back under another address is another one", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, readingOf(placeOf(5))]])
  assert.equal(digests.of(targetOf(2), 0, placeOf(5)), undefined)
})

test("a pod whose documents are read has no digest", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  digests.taken(T, [[target, { ...readingOf(placeOf(5, 1, null), 99, false), way: "documents" }]])
  assert.deepEqual([digests.of(target, 0, placeOf(5)), digests.interval()], [undefined, 30])
})

test("a digest is awaited where there may be one the next time, but not of an OPA that makes none", () => {
  const digests = createDigests({ interval: 30, budget: 1 })
  const [without, late, asleep] = [2, 3, 4].map((index) => targetOf(index, { pod: `opa-${index}` }))
  assert.ok(without && late && asleep)
  const none = readingOf(placeOf(5, 1, null), 0.01, false)
  digests.taken(T, [
    [target, readingOf(placeOf(5))],
    [without, none],
    [late, { ...none, gaveUpAfter: 2 }],
  ])
  const now = placeOf(5, 1, null)
  assert.deepEqual(
    [target, without, late, asleep].map((one) => digests.awaited(one, 0, now)),
    [false, false, true, true],
  )
  assert.equal(digests.awaited(target, 0, placeOf(6, 1, null)), true)
  assert.equal(digests.awaited(asleep, 0, { kind: "undefined" }), false)
})

test("digests are asked for in their own interval, counts in every collection", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const flags = [...PATHS, "--digest-interval", "5m"]
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), flags)
  await exporter.scrape()
  for (const time of ["12:01", "12:04", "12:05", "12:06"]) {
    exporter.clock.now = new Date(`2026-03-10T${time}:00Z`)
    await exporter.collect()
  }
  assert.deepEqual(
    opa.requests.map(({ body }) => body.includes("sha256")),
    [true, false, false, true, false],
  )
  assert.deepEqual(await exporter.series("opa_data_digest_interval_seconds"), [
    "opa_data_digest_interval_seconds{} 300",
  ])
  assert.deepEqual(await exporter.series("opa_data_digest_timestamp_seconds"), [
    `opa_data_digest_timestamp_seconds{} ${Date.UTC(2026, 2, 10, 12, 5) / 1000}`,
  ])
})

test("digests that take an OPA long are asked for more rarely, and that is told", async (t) => {
  const opa = await fakeOpa(t, () => ({
    body: '{"metrics":{"timer_server_handler_ns":2000000000},"result":[{"r":[[],[]]}]}',
  }))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--digest-budget", "0.02"])
  assert.deepEqual(await exporter.series("opa_data_digest_interval_seconds"), [
    "opa_data_digest_interval_seconds{} 100",
  ])
})

test("an OPA that can't make digests in time is counted without, and not asked for them each time", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => (body.includes("sha256") ? { end: "hang" } : HOLDS))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--timeout", "0.9"])
  const ups: (string | undefined)[] = []
  for (const second of [0, 30, 59, 60]) {
    exporter.clock.now = new Date(Date.UTC(2026, 2, 10, 12, 0, second))
    if (second > 0) await exporter.collect()
    ups.push((await exporter.series("opa_up"))[0])
  }
  assert.deepEqual(new Set(ups), new Set(['opa_up{pod_name="opa-0"} 1']))
  const [line = ""] = await exporter.series("opa_data_digest_interval_seconds")
  assert.equal(Math.round(Number(line.split(" ")[1])), 60)
  assert.equal(opa.requests.filter(({ body }) => body.includes("sha256")).length, 2)
})

test("without digests none are asked for or shown", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--digest", "off"])
  assert.doesNotMatch(await exporter.scrape(), /^opa_data_digest/m)
  assert.doesNotMatch(opa.requests[0]?.body ?? "", /sha256/)
})
