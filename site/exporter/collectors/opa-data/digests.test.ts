import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  digestInterval,
  digestOf,
  type DigestDifferences,
  type DigestRules,
  expectsDigest,
  NO_DIGESTS,
  planDigests,
  recordDigests,
} from "./digests.ts"
import { ReadFailure } from "./failure.ts"
import type { PathCount, OpaReading } from "./reading.ts"
import { instanceKey, type OpaTarget } from "./target.ts"
import { fakeOpa, HOLDS, PATHS, queryResponse, startTestExporter, targetOf, targetsOf } from "./testing.ts"

const pathCountOf = (members: number, keys = 1, digest: string | null = "d1"): PathCount => ({
  kind: "counted",
  keys,
  members,
  digest: digest ?? undefined,
})
const readingOf = (pathCount: PathCount, opaSeconds = 0.01, digests = true): OpaReading => ({
  pathCounts: [pathCount],
  method: "query",
  opaSeconds,
  digests,
})
const target = targetOf(1)
const T = 1_000_000
const SILENT = new ReadFailure("timeout", "no response in time")

const RULES: DigestRules = { collections: 30, interval: 30, budget: 0.01 }
const SAME: DigestDifferences = { any: false, anew: new Set() }

/** Of digests in seconds; `dies` falls silent of them, `down` is silent. */
type Cost = number | "dies" | "down"

/** Collections at seconds since the first. Returns which pods make digests in each. */
function collecting(changes: Partial<DigestRules>, pods: Record<string, Cost>) {
  const rules = { ...RULES, ...changes }
  let [digests, differences] = [NO_DIGESTS, SAME]
  const targets = Object.keys(pods).map((pod) => targetOf(1, { pod }))
  const collect = (second: number): string => {
    const plan = planDigests(rules, digests, differences, T + second * 1000, targets)
    const outcomes = targets.map((one) => {
      const cost = pods[one.pod] ?? 0
      if (cost === "down" || (cost === "dies" && plan.requested.has(one))) return { target: one, result: SILENT }
      return { target: one, result: readingOf(pathCountOf(5), Number(cost) || 0) }
    })
    digests = recordDigests(rules, digests, plan, outcomes)
    differences = { ...differences, anew: new Set() }
    return [...plan.requested.keys()].map(({ pod }) => pod).join(" ")
  }
  /** Whether digests differ from now on, in the service of all pods. */
  const differ = (any: boolean, anew = false): void =>
    void (differences = { any, anew: new Set(anew ? ["opa/opa"] : []) })
  const interval = (pod: string): number => digestInterval(rules, digests.pods.get(instanceKey(targetOf(1, { pod }))))
  return { pods, collect, differ, interval }
}

/** What is remembered of one collection: by the index of the outcome. */
function after(...outcomes: readonly (readonly [OpaTarget, OpaReading | ReadFailure])[]) {
  const requested = new Map(outcomes.map(([one]) => [one, 0]))
  const { pods } = recordDigests(
    RULES,
    NO_DIGESTS,
    { at: T, clock: { at: T, round: 0 }, requested },
    outcomes.map(([one, result]) => ({ target: one, result })),
  )
  return (one: OpaTarget) => pods.get(instanceKey(one))
}

test("digests are due at once, and then after their interval", () => {
  const { collect } = collecting({ interval: 60 }, { a: 0.01 })
  assert.deepEqual([0, 30, 59.9, 90, 120].map(collect), ["a", "", "a", "", "a"])
})

test("a difference is looked at again at once, as far as the budgets go, for it may have been a moment's", () => {
  const { differ, collect } = collecting({ interval: 600 }, { cheap: 0.1, dear: 0.4 })
  collect(0)
  assert.equal(collect(30), "")
  differ(true)
  assert.deepEqual([60, 90, 120, 150].map(collect), ["cheap dear", "cheap", "cheap dear", "cheap"])
  differ(false)
  assert.deepEqual([180, 720].map(collect), ["", "cheap dear"])
})

test("a new difference is looked at again in the next collection, and the budget is charged with both", () => {
  const { differ, interval, collect } = collecting({}, { cheap: 0.1, dear: 0.9, dies: "dies" })
  assert.equal(collect(0), "cheap dear dies")
  differ(true, true)
  assert.equal(collect(30), "cheap dear")
  assert.equal(interval("dear"), 240)
  const dear = Array.from({ length: 20 }, (_, index) => 60 + 30 * index).filter((at) => collect(at).includes("dear"))
  assert.deepEqual(dear, [240, 360, 480, 600])
})

test("a clock that is set back does not put digests off", () => {
  const { collect } = collecting({ interval: 60 }, { a: 0.01 })
  assert.deepEqual([0, -3600, -3570, -3540].map(collect), ["a", "a", "", "a"])
})

test("an OPA that digests cost much makes them more rarely, and the others as often as before", () => {
  const { interval, pods, collect } = collecting({}, { a: 0.1, b: 0.9, c: 0.5 })
  assert.deepEqual([0, 30, 60, 90, 120, 150].map(collect), ["a b c", "a", "a c", "a", "a b c", "a"])
  const intervals = () => Object.keys(pods).map(interval)
  assert.deepEqual(intervals(), [30, 120, 60])
  pods.b = 0.2
  assert.deepEqual([180, 210, 240, 270].map(collect), ["a c", "a", "a b c", "a b"])
  assert.deepEqual(intervals(), [30, 30, 60])
})

test("who makes digests meets all who make them as often or more often, and keeps the budget", () => {
  const cost = fc.integer({ min: 0, max: 500 }).map((hundredths) => hundredths / 100)
  const pauses = fc.array(
    fc.integer({ min: 2990, max: 3010 }).map((hundredths) => hundredths / 100),
    { minLength: 200, maxLength: 200 },
  )
  fc.assert(
    fc.property(fc.array(cost, { minLength: 2, maxLength: 6 }), pauses, fc.boolean(), (costs, spaces, differing) => {
      const pods = Object.fromEntries(costs.map((seconds, index) => [`p${index}`, seconds]))
      const { differ, collect } = collecting({ interval: differing ? 300 : 30 }, pods)
      differ(differing)
      const spent = new Map(Object.keys(pods).map((pod) => [pod, 0]))
      let at = 0
      for (const space of spaces) {
        const requested = collect(at).split(" ")
        at += space
        const dearest = Math.max(...requested.map((pod) => Number(pods[pod])))
        for (const [pod, seconds] of costs.entries().map(([index, one]) => [`p${index}`, one] as const)) {
          if (seconds <= dearest && at > space)
            assert.ok(requested.includes(pod), `${pod} at ${at} beside ${requested.join()}`)
          if (requested.includes(pod)) spent.set(pod, (spent.get(pod) ?? 0) + seconds)
        }
      }
      // one more than the time is long enough for, and a timer that is early
      for (const [pod, seconds] of spent) assert.ok((seconds - Number(pods[pod])) / at <= 0.01 / 0.94, pod)
    }),
    { numRuns: 50 },
  )
})

test("new differences at any time do not overdraw the budget", () => {
  const cost = fc.integer({ min: 0, max: 500 }).map((hundredths) => hundredths / 100)
  const news = fc.array(fc.boolean(), { minLength: 400, maxLength: 400 })
  fc.assert(
    fc.property(cost, news, (seconds, anew) => {
      const { differ, collect } = collecting({}, { a: seconds })
      const spent = anew.map((isNew, index) => {
        if (isNew) differ(true, true)
        return collect(index * 30) === "a" ? seconds : 0
      })
      const share = (spent.reduce((sum, one) => sum + one) - 3 * seconds) / (30 * anew.length)
      assert.ok(share <= 0.01 / 0.94, `${share}`)
    }),
    { numRuns: 200 },
  )
})

test("where collections come as they like, dear digests still come together", () => {
  const { collect } = collecting({ collections: 1, interval: 0 }, { a: 0.15, b: 0.25 })
  // two Prometheis, each every 30 s
  const times = Array.from({ length: 24 }, (_, index) => Math.floor(index / 2) * 30 + (index % 2) * 10)
  const rounds = times.map(collect)
  assert.ok(rounds.slice(1).filter((one) => one === "a b").length > 5)
  assert.ok(!rounds.includes("b"))
})

test("an OPA that falls silent at each request for digests gets them ever more rarely", () => {
  const { collect } = collecting({}, { a: 0.01, b: "dies" })
  const rounds = Array.from({ length: 70 }, (_, index) => index)
  assert.deepEqual(
    rounds.filter((index) => collect(index * 30) !== "a"),
    [0, 2, 4, 8, 16, 32, 64],
  )
})

test("an OPA that was silent for long gets requests for counts alone until it responds, and soon after that for digests", () => {
  const { pods, collect } = collecting({}, { a: "down", b: 0.01 })
  assert.deepEqual([0, 30, 60, 90, 120].map(collect), ["a b", "b", "b", "b", "b"])
  pods.a = 0.01
  assert.deepEqual([150, 180, 210].map(collect), ["b", "a b", "a b"])
})

test("an OPA that was silent between two collections with digests makes them in the next", () => {
  const { pods, collect } = collecting({ interval: 120 }, { a: 0.01, b: 0.01 })
  assert.deepEqual([0, 30, 60].map(collect), ["a b", "", ""])
  pods.a = "down"
  assert.deepEqual([90, 120].map(collect), ["", "a b"])
})

test("a digest is known as long as nothing visibly changed", () => {
  const pod = after([target, readingOf(pathCountOf(5))])(target)
  assert.deepEqual(digestOf(pod, 0, pathCountOf(5, 1, null)), { value: "d1", round: 0 })
  assert.deepEqual(digestOf(pod, 0, pathCountOf(5, 2, null)), { value: "d1", round: 0 })
  assert.equal(digestOf(pod, 0, pathCountOf(6, 1, null)), undefined)
  assert.equal(digestOf(pod, 0, { kind: "undefined" }), undefined)
  assert.equal(digestOf(pod, 1, pathCountOf(5)), undefined)
})

test("a pod that came back under another address is another one", () => {
  assert.equal(after([target, readingOf(pathCountOf(5))])(targetOf(2)), undefined)
})

test("a pod whose documents are read has no digest", () => {
  const pod = after([target, { ...readingOf(pathCountOf(5, 1, null), 99, false), method: "documents" }])(target)
  assert.equal(digestOf(pod, 0, pathCountOf(5)), undefined)
  assert.deepEqual([digestInterval(RULES, pod), pod?.at, pod?.seconds], [30, undefined, undefined])
})

test("a digest is expected where there may be one the next time, but not of an OPA that makes none", () => {
  const [without, late, asleep] = [2, 3, 4].map((index) => targetOf(index, { pod: `opa-${index}` }))
  assert.ok(without && late && asleep)
  const none = readingOf(pathCountOf(5, 1, null), 0.01, false)
  const podOf = after([target, readingOf(pathCountOf(5))], [without, none], [late, { ...none, digestsFailedAfter: 2 }])
  const now = pathCountOf(5, 1, null)
  assert.deepEqual(
    [target, without, late, asleep].map((one) => expectsDigest(podOf(one), 0, now)),
    [true, false, true, true],
  )
  assert.equal(expectsDigest(podOf(asleep), 0, { kind: "undefined" }), false)
})

test("digests are requested in their own interval, counts in every collection", async (t) => {
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
    'opa_data_digest_interval_seconds{pod_name="opa-0"} 300',
  ])
  assert.deepEqual(await exporter.series("opa_data_digest_timestamp_seconds"), [
    `opa_data_digest_timestamp_seconds{pod_name="opa-0"} ${Date.UTC(2026, 2, 10, 12, 5) / 1000}`,
  ])
})

test("an OPA for which digests take long makes them more rarely, and its metrics show that", async (t) => {
  const dear = queryResponse([
    { keys: 3, digest: "n1" },
    { keys: 2, members: 7, digest: "s1" },
  ])
  const body = String(dear.body).replace("2000000", "2000000000")
  const [a, b] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => ({ body }))]
  const targets = targetsOf([targetOf(a.port), targetOf(b.port, { pod: "opa-1" })])
  const exporter = await startTestExporter(t, targets, [...PATHS, "--digest-budget", "0.02"])
  for (const second of [0, 30, 60, 90, 120]) {
    exporter.clock.now = new Date(Date.UTC(2026, 2, 10, 12, 0, second))
    if (second > 0) await exporter.collect()
    else await exporter.scrape()
  }
  const requested = [a, b].map(({ requests }) => requests.map((request) => request.body.includes("sha256")))
  assert.deepEqual(requested, [
    [true, true, true, true, true],
    [true, false, false, false, true],
  ])
  assert.deepEqual(await exporter.series("opa_data_digest_interval_seconds"), [
    'opa_data_digest_interval_seconds{pod_name="opa-0"} 30',
    'opa_data_digest_interval_seconds{pod_name="opa-1"} 120',
  ])
})

test("an OPA that cannot make digests in time is counted without, and does not get each request for them", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => (body.includes("sha256") ? { end: "hang" } : HOLDS))
  // two seconds for digests, and one for counts alone, much on a busy machine too
  const flags = [...PATHS, "--timeout", "3", "--digest-budget", "0.05"]
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), flags)
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

test("with digests off none are requested or shown", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--digest", "off"])
  assert.doesNotMatch(await exporter.scrape(), /^opa_data_digest/m)
  assert.doesNotMatch(opa.requests[0]?.body ?? "", /sha256/)
})
