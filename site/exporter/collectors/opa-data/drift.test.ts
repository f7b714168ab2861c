import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { NO_DIGESTS, recordDigests } from "./digests.ts"
import { compareReplicas, NO_DIFFERENCES } from "./drift.ts"
import { ReadFailure } from "./failure.ts"
import type { OpaReading } from "./reading.ts"
import type { OpaTarget } from "./target.ts"
import { fakeOpa, HOLDS, PATHS, queryResponse, startTestExporter, targetOf, targetsOf } from "./testing.ts"

const PATH = { name: "k/services", segments: ["k", "services"], cluster: false, namespaced: true }

/** `5x` are 5 items with the digest x, `5` made none, `5~` had no request for one, `5!` had no time for it. */
function readingOf(text: string): OpaReading {
  const [, items, digest] = /^(\d+)([a-z]\w*|[!~])?$/.exec(text) ?? []
  const made = digest !== undefined && /\w/.test(digest)
  const pathCount = {
    kind: "counted",
    keys: items === "0" ? 0 : 1,
    members: Number(items),
    digest: made ? digest : undefined,
  } as const
  return {
    pathCounts: [pathCount],
    method: "query",
    opaSeconds: 0,
    digests: made,
    ...(digest === "!" && { digestsFailedAfter: 0 }),
  }
}

const RULES = { collections: 30, interval: 0, budget: 1 }

/** Collections every 30 s of a service's pods, such as `a:5x b:-`, where b cannot be read. */
function drifting() {
  let [digests, differences, at, round] = [NO_DIGESTS, NO_DIFFERENCES, 1_000_000, 0]
  /** Whether the pods agree, since when they do not, and whether digests are wanted in the next collection. */
  const collect = (text: string) => {
    at += 30_000
    const pods = text.split(" ").map((one) => one.split(":"))
    const outcomes = pods.map(([pod = "", held = "-"]) => ({
      target: targetOf(1, { pod }),
      result: held === "-" ? new ReadFailure("server_error", "it responds with status 500") : readingOf(held),
    }))
    const withDigests = /\d[a-z!]/.test(text)
    if (withDigests) round += 1
    const requested = outcomes.filter((_, index) => withDigests && !pods[index]?.[1]?.endsWith("~"))
    const clock = { at, round }
    const plan = { at, clock, requested: new Map(requested.map(({ target }) => [target, 0])) }
    digests = recordDigests(RULES, digests, plan, outcomes)
    const drift = compareReplicas([PATH], differences, digests, at, outcomes)
    differences = drift.differences
    const [row] = drift.compared
    const deviating = [...(row?.comparison.deviating ?? [])].toSorted().join(" ")
    const inSync = row?.inSync
    return { inSync, deviating, since: row?.since && row.since - 1_030_000, digestsNext: differences.any }
  }
  return { collect }
}

const SAME = { inSync: true, deviating: "", since: undefined, digestsNext: false }
const UNKNOWN = { ...SAME, inSync: undefined }
const B_DEVIATES_SINCE_90 = { inSync: false, deviating: "b", since: 90_000, digestsNext: true }
const B_DEVIATES = { inSync: false, deviating: "b", since: 0, digestsNext: true }

test("a difference of digests stays until the pod that was away is seen to agree by digest", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5x b:- c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5 b:5 c:5"), B_DEVIATES)
  assert.deepEqual(collect("a:5x b:5y c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5x b:5x c:5x"), SAME)
})

test("a difference of digests stays while the number of items changes everywhere between two digests", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:6 b:6 c:6"), B_DEVIATES)
  assert.deepEqual(collect("a:6z b:6z c:6z"), SAME)
})

test("a difference of digests stays while an OPA is too slow to make them", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:5x b:5! c:5x"), B_DEVIATES)
})

test("a pod that makes digests more rarely is compared with those of its own collection alone", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5x c:5x"), SAME)
  assert.deepEqual(collect("a:5y b:5y c:5~"), SAME)
  assert.deepEqual(collect("a:5y b:5~ c:5~"), SAME)
  assert.deepEqual(collect("a:5z b:5y c:5z"), B_DEVIATES_SINCE_90)
})

test("a pod that makes digests more rarely deviates until its next one, whatever the others become", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5x b:5~ c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5y b:5~ c:5y"), B_DEVIATES)
  assert.deepEqual(collect("a:5z b:5z c:5z"), SAME)
})

test("which pod deviates does not change while the deciding one makes no digest", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y c:5x"), B_DEVIATES)
  assert.deepEqual(collect("a:5~ b:5y c:5z"), B_DEVIATES)
  assert.deepEqual(collect("a:5z b:5y c:5~"), B_DEVIATES)
})

test("of two pods either one hides the difference while it cannot be read, and ends it where it leaves", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5x b:5y"), B_DEVIATES)
  assert.deepEqual(collect("a:- b:5y"), B_DEVIATES)
  assert.deepEqual(collect("a:5x b:-"), B_DEVIATES)
  assert.deepEqual(collect("b:5y"), SAME)
})

test("a difference ends with digests, where an OPA makes none any more", () => {
  const { collect } = drifting()
  collect("a:5x b:5y c:5x")
  assert.deepEqual(collect("a:5x b:5 c:5x"), UNKNOWN)
})

test("replicas whose content was not compared are not in sync, nor do they differ", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5 b:5"), UNKNOWN)
  assert.deepEqual(collect("a:5x b:5!"), UNKNOWN)
  assert.deepEqual(collect("a:5x b:5x"), SAME)
  assert.deepEqual(collect("a:5x b:5x c:5~"), UNKNOWN)
  assert.deepEqual(collect("a:5x b:4 c:5x"), { ...B_DEVIATES, since: 120_000, digestsNext: false })
  assert.deepEqual(collect("a:5"), SAME)
})

test("replicas that are empty or alone are in sync without digests", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5"), SAME)
  assert.deepEqual(drifting().collect("a:0 b:0 c:0"), SAME)
})

test("an OPA that is the only one with items never deviates, while it cannot be read neither", () => {
  const { collect } = drifting()
  const BOTH = { inSync: false, deviating: "a b", since: 0, digestsNext: false }
  assert.deepEqual(collect("a:0 b:0 c:7x"), BOTH)
  assert.deepEqual(collect("a:0 b:0 c:-"), BOTH)
  assert.deepEqual(collect("a:0 b:7x c:7x"), { ...BOTH, deviating: "a" })
})

test("a difference of items ends when there are as many, without digests", () => {
  const { collect } = drifting()
  assert.deepEqual(collect("a:5 b:4 c:5"), { ...B_DEVIATES, digestsNext: false })
  collect("a:5x b:4y c:5x")
  assert.deepEqual(collect("a:5 b:5 c:5"), SAME)
})

/** What becomes of a pod in a collection: it makes a digest, gets no request for one, has no time for it, or cannot be read. */
const fate = fc.constantFrom("digest", "digest", "~", "!", "-")
const FOUR = ["a", "b", "c", "d"]
const step = fc.record({
  version: fc.nat(2),
  items: fc.integer({ min: 5, max: 6 }),
  fates: fc.array(fate, { minLength: 4, maxLength: 4 }),
})
const steps = fc.array(step, { minLength: 1, maxLength: 30 })
const heldBy = (pod: string, held: string, items: number, what: string): string =>
  held === "-" ? `${pod}:-` : `${pod}:${items}${held === "digest" ? what : held}`

test("replicas that hold the same at every instant never differ, whichever pods make digests", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const { collect } = drifting()
      for (const { version, items, fates } of list) {
        const { inSync } = collect(FOUR.map((pod, i) => heldBy(pod, fates[i] ?? "-", items, `v${version}`)).join(" "))
        assert.notEqual(inSync, false)
      }
    }),
  )
})

test("once all have made digests, the one that holds something else deviates, and no other, whichever pods make digests then", () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...FOUR), (list, other) => {
      const { collect } = drifting()
      const full = { version: 0, items: 5, fates: FOUR.map(() => "digest") }
      for (const { version, items, fates } of [full, ...list]) {
        const what = (pod: string): string => (pod === other ? "other" : `v${version}`)
        const row = collect(FOUR.map((pod, i) => heldBy(pod, fates[i] ?? "-", items, what(pod))).join(" "))
        if (row.inSync !== undefined) assert.deepEqual([row.inSync, row.deviating], [false, other])
      }
    }),
  )
})

test("the log names ten of the pods that differ", async (t) => {
  const [many, few] = [
    await fakeOpa(t, () => HOLDS),
    await fakeOpa(t, () => queryResponse([{ keys: 3 }, { keys: 2, members: 6 }])),
  ]
  const pods = (count: number, port: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => targetOf(port, { pod: `${prefix}${index}` }))
  const logOf = async (...list: readonly OpaTarget[]): Promise<string> => {
    const exporter = await startTestExporter(t, targetsOf(list), PATHS)
    await exporter.scrape()
    return exporter.log()
  }
  assert.match(await logOf(...pods(3, many.port, "a"), ...pods(2, few.port, "b")), / deviating="b0 b1"\n/)
  assert.match(
    await logOf(...pods(26, many.port, "a"), ...pods(24, few.port, "b")),
    / deviating="b0 b1 b10 b11 b12 b13 b14 b15 b16 b17 and 14 others"\n/,
  )
})

test("since when replicas differ is kept until they agree, and begins anew then", async (t) => {
  const [a, b] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => HOLDS)]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  const since = async (time: string): Promise<readonly string[]> => {
    exporter.clock.now = new Date(`2026-03-10T${time}Z`)
    await exporter.collect()
    const found = await exporter.series("opa_data_out_of_sync_since_timestamp_seconds")
    return found.map((line) =>
      line.replace(/.*data_path="(.*?)".*\} (.*)/, (_, path: string, seconds: string) => {
        return `${path} ${new Date(Number(seconds) * 1000).toISOString().slice(11, 19)}`
      }),
    )
  }
  const LESS = queryResponse([
    { keys: 3, digest: "n1" },
    { keys: 2, members: 6, digest: "s2" },
  ])
  const OTHER = queryResponse([
    { keys: 3, digest: "n2" },
    { keys: 2, members: 7, digest: "s1" },
  ])
  assert.deepEqual(await since("12:01:00"), [])
  b.respond = () => LESS
  assert.deepEqual(await since("12:02:00"), ["kubernetes/services 12:02:00"])
  assert.deepEqual(await since("12:03:00"), ["kubernetes/services 12:02:00"])
  b.respond = () => OTHER
  assert.deepEqual(await since("12:04:00"), ["kubernetes/namespaces 12:04:00"])
  b.respond = () => HOLDS
  assert.deepEqual(await since("12:05:00"), [])
  b.respond = () => OTHER
  assert.deepEqual(await since("12:06:00"), ["kubernetes/namespaces 12:06:00"])
  assert.match(
    exporter.log(),
    /msg="replicas differ" namespace=opa service=opa path=kubernetes\/services deviating=opa-b\n/,
  )
  assert.match(exporter.log(), /msg="replicas agree again" namespace=opa service=opa path=kubernetes\/services/)
})

test("a path stays out of sync while the pod that held something else cannot be read", async (t) => {
  const [a, b] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => HOLDS)]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  b.respond = () =>
    queryResponse([
      { keys: 2, digest: "n2" },
      { keys: 2, members: 7, digest: "s1" },
    ])
  const exporter = await startTestExporter(t, targets, PATHS)
  const state = async (): Promise<readonly string[]> => {
    exporter.clock.now = new Date(exporter.clock.now.getTime() + 30_000)
    await exporter.collect()
    const found = ["opa_data_in_sync", "opa_data_out_of_sync_since_timestamp_seconds"].map((name) =>
      exporter.series(name),
    )
    return (await Promise.all(found)).map((lines) => {
      const value = lines.find((line) => line.includes("kubernetes/namespaces"))?.split(" ")[1]
      return value ?? "none"
    })
  }
  const SINCE = String(Date.parse("2026-03-10T12:00:00Z") / 1000)
  assert.deepEqual(await state(), ["0", SINCE])
  b.respond = () => ({ status: 500 })
  assert.deepEqual(await state(), ["0", SINCE])
  a.respond = () => ({ status: 500 })
  assert.deepEqual(await state(), ["none", "none"])
  a.respond = () => HOLDS
  assert.deepEqual(await state(), ["0", SINCE])
  targets.list = targets.list.slice(0, 1)
  assert.deepEqual(await state(), ["1", "none"])
})

test("replicas are compared within their service only", async (t) => {
  const [a, b] = [
    await fakeOpa(t, () => HOLDS),
    await fakeOpa(t, () => queryResponse([{ keys: 1 }, { keys: 1, members: 1 }])),
  ]
  const targets = targetsOf([targetOf(a.port, { service: "one" }), targetOf(b.port, { service: "two" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(
    (await exporter.series("opa_data_in_sync")).map((line) => line.at(-1)),
    ["1", "1", "1", "1"],
  )
})

test("replicas that differed for a moment agree again with the next collection, however rare and dear digests are", async (t) => {
  const of = (digest: string) => {
    const { body } = queryResponse([
      { keys: 3, digest },
      { keys: 2, members: 7 },
    ])
    return { body: String(body).replace("2000000", "2000000000") }
  }
  const [a, b] = [await fakeOpa(t, () => of("new")), await fakeOpa(t, () => of("new"))]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const exporter = await startTestExporter(t, targets, [...PATHS, "--digest-interval", "1h", "--digest-budget", "0.01"])
  const inSync = async () => (await exporter.series("opa_data_in_sync"))[0]?.at(-1)
  const collectAt = async (time: string) => {
    exporter.clock.now = new Date(`2026-03-10T${time}Z`)
    await exporter.collect()
  }
  assert.equal(await inSync(), "1")
  b.respond = () => of("old")
  await collectAt("13:00:00")
  assert.equal(await inSync(), "0")
  b.respond = () => of("new")
  await collectAt("13:00:30")
  assert.equal(await inSync(), "1")
})
