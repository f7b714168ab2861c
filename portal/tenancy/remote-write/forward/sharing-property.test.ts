import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import * as fc from "fast-check"
import { createLogger } from "#core/log/logger.ts"
import type { Version } from "../message/version.ts"
import { decodeBlock } from "../../wire/snappy.ts"
import { createForward } from "./forward.ts"
import type { ForwardMetrics } from "./metrics.ts"
import type { Outcome } from "./outcome.ts"
import { noResponse, type Post, type PostResult } from "./post.ts"
import { BOUNDS, SENDER, sliceOf, writtenHeaders } from "./testing.ts"

/** What an upstream makes of a sample: it keeps good ones beside bad and (of version 2) dropped ones, nothing beside others. */
type Fate = "good" | "bad" | "dropped" | "limited" | "deduplicated" | "fatal"

interface Sent {
  readonly tenant: string
  readonly group: string
  readonly version: Version
  readonly fates: readonly Fate[]
}

type Step =
  | { readonly kind: "send"; readonly slice: Sent }
  /** To one of the requests in flight. `fault`: whatever is in it, this comes back, and by chance all of it is stored. */
  | {
      readonly kind: "respond"
      readonly which: number
      readonly fault: 0 | 500 | 503 | undefined
      readonly stored: boolean
    }
  | { readonly kind: "turn" }
  /** Milliseconds. */
  | { readonly kind: "pass"; readonly time: number }

const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>("good") },
  { weight: 1, arbitrary: fc.constantFrom<Fate>("bad", "dropped", "limited", "deduplicated", "fatal") },
)
const slice: fc.Arbitrary<Sent> = fc.record({
  tenant: fc.constantFrom("a", "b", "c"),
  group: fc.constantFrom("", "replica"),
  version: fc.constantFrom<Version>(1, 2),
  fates: fc.array(fate, { minLength: 1, maxLength: 4 }),
})
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), slice }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("respond" as const),
        which: fc.nat(10),
        fault: fc.oneof(
          { weight: 9, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.constantFrom(0 as const, 500 as const, 503 as const) },
        ),
        stored: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "turn" } as const) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("pass" as const), time: fc.constantFrom(1000, 10_000, 1_000_000) }),
    },
  ),
  { maxLength: 60 },
)
const bounds = fc.record({
  parallel: fc.integer({ min: 1, max: 4 }),
  parallelOfTenant: fc.integer({ min: 1, max: 3 }),
  sharedElements: fc.constantFrom(0, 3, 8, 100),
})

interface InFlight {
  readonly tenant: string
  readonly respond: (fault: 0 | 500 | 503 | undefined, stored: boolean) => void
}

const metrics: ForwardMetrics = {
  of: () => ({ requested: () => undefined, settled: () => undefined, resent: () => undefined }),
  watch: () => undefined,
}

/** Does the steps, then lets the upstream respond to all that is left. */
async function run(
  all: readonly Step[],
  limits: { parallel: number; parallelOfTenant: number; sharedElements: number },
) {
  let [time, next] = [0, 0]
  const inFlight: InFlight[] = []
  const stored = new Set<string>()
  const results: { readonly sent: Sent; readonly names: readonly string[]; readonly outcome: Promise<Outcome> }[] = []
  const keys = new Map<string, string>()

  function send({ headers, body }: Post): Promise<PostResult> {
    const { promise, resolve } = Promise.withResolvers<PostResult>()
    const tenant = headers[headers.indexOf("x-scope-orgid") + 1] ?? ""
    const version = headers.includes("2.0.0") ? 2 : 1
    const names = decodeBlock(body).toString().split("\n").slice(0, -1)
    assert.deepEqual(new Set(names.map((name) => keys.get(name))).size, 1)
    assert.equal(new Set(names).size, names.length)
    const request: InFlight = {
      tenant,
      respond(fault, isStored) {
        inFlight.splice(inFlight.indexOf(request), 1)
        resolve(respondTo(names, version, fault, isStored))
      },
    }
    inFlight.push(request)
    assert.ok(inFlight.length <= limits.parallel)
    assert.ok(inFlight.filter((one) => one.tenant === tenant).length <= limits.parallelOfTenant)
    const slices = new Set(names.map((name) => name.split(" ")[0]))
    assert.ok(slices.size === 1 || names.length <= limits.sharedElements)
    return promise
  }

  function respondTo(
    names: readonly string[],
    version: Version,
    fault: 0 | 500 | 503 | undefined,
    isStored: boolean,
  ): PostResult {
    const has = (one: Fate): boolean => names.some((name) => name.endsWith(one))
    const store = (kept: readonly string[]): Readonly<Record<string, string>> => {
      for (const name of kept) stored.add(name)
      const headers = Object.entries(writtenHeaders(kept.length)).map(([name, value]) => [name, String(value)])
      return version === 2 ? Object.fromEntries(headers) : {}
    }
    const response = (status: number, kept: readonly string[]): PostResult => ({
      status,
      headers: store(kept),
      text: "",
    })
    const good = names.filter((name) => !(version === 1 ? /bad$/ : /(?:bad|dropped)$/).test(name))
    if (fault !== undefined) {
      if (isStored) store(good)
      return fault === 0
        ? noResponse("reset", "the connection was reset", true)
        : { status: fault, headers: {}, text: "" }
    }
    if (has("fatal")) return noResponse("reset", "the connection was reset", true)
    if (has("limited")) return response(429, [])
    if (names[0]?.endsWith("deduplicated") === true) return response(202, [])
    return response(has("bad") ? 400 : version === 1 ? 200 : 204, good)
  }

  const { forward } = createForward({
    bounds: { ...BOUNDS, ...limits },
    headers: [],
    send,
    metrics,
    log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
    now: () => time,
    milliseconds: () => time,
  })
  for (const step of all) {
    if (step.kind === "turn") await nextTurn()
    else if (step.kind === "pass") time += step.time
    else if (step.kind === "respond") inFlight[step.which % inFlight.length]?.respond(step.fault, step.stored)
    else {
      const { tenant, group, version, fates } = step.slice
      const id = next++
      const names = fates.map((one, index) => `${id} ${index} ${one}`)
      for (const name of names) keys.set(name, [tenant, group, version].join("|"))
      results.push({ sent: step.slice, names, outcome: forward(sliceOf(tenant, names, { group, version }), SENDER) })
    }
  }
  let settled = 0
  for (const { outcome } of results) void outcome.then(() => settled++)
  for (let turns = 0; settled < results.length; turns++) {
    assert.ok(turns < 10_000, "a slice never got an outcome")
    await nextTurn()
    for (const { respond } of [...inFlight]) respond(undefined, false)
  }
  return { results, stored }
}

test("each slice that shares requests gets the outcome that is true for it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] }) // none may be over
  await fc.assert(
    fc.asyncProperty(steps, bounds, async (all, limits) => {
      const { results, stored } = await run(all, limits)
      for (const { sent, names, outcome: promise } of results) {
        const outcome = await promise
        const kept = names.filter((name) => stored.has(name)).length
        const has = (one: Fate): boolean => sent.fates.includes(one)
        assert.ok(kept >= outcome.written.samples || (outcome.status === 202 && sent.fates[0] === "deduplicated"))
        if (outcome.kind === "failed") continue
        // what is accepted is written, all of it in version 1, where there are no counts
        if (outcome.status === 202) assert.equal(sent.fates[0], "deduplicated")
        else {
          assert.ok(!has("bad") && !has("limited") && !has("fatal"))
          assert.equal(outcome.written.samples, kept)
        }
      }
    }),
    { numRuns: 300, verbose: true },
  )
})

test("what an upstream refuses of one sender is never the outcome of another", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const refusing = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("send" as const), slice }),
      fc.record({
        kind: fc.constant("respond" as const),
        which: fc.nat(10),
        fault: fc.constant(undefined),
        stored: fc.constant(false),
      }),
      fc.constant({ kind: "turn" } as const),
    ),
    { maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(refusing, bounds, async (all, limits) => {
      const survivable = all.filter((step) => step.kind !== "send" || !step.slice.fates.includes("fatal"))
      const { results } = await run(survivable, limits)
      for (const { sent, outcome } of results)
        if (sent.fates.every((one) => one === "good"))
          assert.deepEqual(await outcome, {
            kind: "accepted",
            status: sent.version === 1 ? 200 : 204,
            written: { samples: sent.fates.length, histograms: 0, exemplars: 0 },
          })
    }),
    { numRuns: 300, verbose: true },
  )
})
