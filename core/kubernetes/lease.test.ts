import assert from "node:assert/strict"
import { once } from "node:events"
import { syncBuiltinESMExports } from "node:module"
import { test, type TestContext } from "node:test"
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises"
import { createLogger } from "#core/log/logger.ts"
import type { KubernetesApi } from "./api.ts"
import { KubernetesError } from "./errors.ts"
import { holdLease } from "./lease.ts"
import type { KubernetesRequest } from "./resource.ts"

/** Milliseconds. */
const STEP = 10

/** One Lease, with the API's rules for versions, in a time that passes only where a test lets it. */
function simulate(t: TestContext, initial?: Record<string, unknown>) {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  syncBuiltinESMExports() // of node:timers/promises too
  let time = 0
  t.mock.method(performance, "now", () => time)
  let lease = initial && { metadata: { name: "one", resourceVersion: "0" }, spec: initial }
  let version = 0
  const state = { hanging: false, touched: false, renewals: 0, latency: 0, contested: false, lost: false, writes: 0 }

  async function send({ verb, body }: KubernetesRequest, signal: AbortSignal): Promise<unknown> {
    await turn()
    if (state.latency > 0) await delay(state.latency, undefined, { signal })
    if (state.hanging && !signal.aborted) await once(signal, "abort")
    signal.throwIfAborted()
    const refuse = (status: number) => new KubernetesError("one", status, { reason: status === 409 ? "Conflict" : "" })
    if (verb === "get") {
      if (lease === undefined) throw refuse(404)
      return lease
    }
    const sent = body?.value as NonNullable<typeof lease>
    const current = verb === "create" ? undefined : sent.metadata.resourceVersion
    state.writes += 1
    if (state.touched || state.contested || current !== lease?.metadata.resourceVersion) {
      state.touched = false
      throw refuse(409)
    }
    state.renewals += 1
    lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(++version) } }
    if (state.lost) {
      state.lost = false
      throw new KubernetesError("the response was lost", 0)
    }
    return lease
  }
  const stream = () => Promise.reject(new Error("a lease is not streamed"))
  const api: KubernetesApi = { namespace: "test", send, stream, close: () => Promise.resolve() }

  /** Lets time pass until `probe` gives something. */
  async function passUntil<T>(what: string, probe: () => T | undefined | false): Promise<T> {
    for (const end = time + 10_000; time < end;) {
      for (let turns = 0; turns < 20; turns++) await turn() // what is due is done, requests among it
      const found = probe()
      if (found !== undefined && found !== false) return found
      time += STEP
      t.mock.timers.tick(STEP)
    }
    throw new Error(`10 s passed without ${what}`)
  }
  return { api, state, passUntil, time: () => time, spec: () => lease?.spec ?? {} }
}

type World = ReturnType<typeof simulate>

/** Without `work` it counts how many work at the same time. */
function start(
  t: TestContext,
  { api, passUntil }: World,
  identity: string,
  working: Set<string>,
  work?: (signal: AbortSignal) => Promise<void>,
) {
  const lines: string[] = []
  let terms = 0
  const count = async (signal: AbortSignal): Promise<void> => {
    terms += 1
    assert.equal(working.size, 0, `${identity} works beside ${[...working].join()}`)
    working.add(identity)
    if (!signal.aborted) await once(signal, "abort")
    await delay(500) // work that ends slowly: longer than another holder waits between two attempts
    working.delete(identity)
  }
  const holder = holdLease(api, {
    namespace: "test",
    name: "one",
    identity,
    seconds: 1,
    now: () => new Date("2026-01-02T03:04:05.678Z"),
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    work: work ?? count,
  })
  const close = async (): Promise<void> => {
    let closed = false
    void holder.close().then(() => (closed = true))
    await passUntil("the end", () => closed)
  }
  t.after(close)
  return {
    holder,
    close,
    lines,
    terms: () => terms,
    held: (is = true) => passUntil(`isHeld ${is}`, () => holder.isHeld() === is),
  }
}

test("one of two works, renews, and the other follows when it closes", async (t) => {
  const world = simulate(t)
  const { spec, state, passUntil } = world
  const working = new Set<string>()
  const a = start(t, world, "a", working)
  await a.held()
  assert.deepEqual(spec(), {
    holderIdentity: "a",
    leaseDurationSeconds: 1,
    renewTime: "2026-01-02T03:04:05.678000Z",
    acquireTime: "2026-01-02T03:04:05.678000Z",
    leaseTransitions: 0,
  })
  const b = start(t, world, "b", working)
  await passUntil("b seeing a", () => b.holder.holder() === "a")
  await passUntil("renewals for longer than it lasts", () => state.renewals > 8)
  assert.deepEqual([...working, a.terms(), b.terms()], ["a", 1, 0])
  await a.close()
  assert.equal(a.holder.isHeld(), false)
  await b.held()
  assert.deepEqual([[...working], b.lines.filter((line) => line.includes("lost"))], [["b"], []])
  assert.deepEqual([spec().holderIdentity, spec().leaseTransitions], ["b", 1])
})

test("ends its work before the lease expires where it cannot be renewed, and works again afterwards", async (t) => {
  const world = simulate(t)
  const { state, passUntil, time } = world
  const working = new Set<string>()
  const { holder, held, lines, terms } = start(t, world, "a", working)
  await held()
  const since = time()
  state.hanging = true
  await held(false)
  assert.ok(time() - since < 1000)
  await passUntil("the end of the work", () => working.size === 0)
  await passUntil("a problem", () => holder.problem())
  state.hanging = false
  await held()
  await passUntil("a second term", () => terms() === 2)
  assert.equal(lines.filter((line) => line.includes("renewing the lease failed")).length, 1)
  assert.match(lines.join(""), /lease lost, becoming passive" lease=one reason="not renewed in time"/)
})

for (const latency of [100, 200, 300])
  test(`keeps a lease of 1 s where each request takes ${latency} ms`, async (t) => {
    const world = simulate(t)
    const { state, passUntil, time } = world
    state.latency = latency
    const working = new Set<string>()
    const a = start(t, world, "a", working)
    await a.held()
    const b = start(t, world, "b", working)
    const since = time()
    await passUntil("several times of the lease", () => time() > since + 6000)
    assert.deepEqual([...working, a.terms(), b.terms()], ["a", 1, 0])
    assert.deepEqual(
      [...a.lines, ...b.lines].filter((line) => line.includes("level=warn")),
      [],
    )
    await a.close()
    await b.held()
  })

test("outlasts one request that hangs, and one response that is lost", async (t) => {
  const world = simulate(t)
  const { state, passUntil, time } = world
  const working = new Set<string>()
  const { held, holder, terms } = start(t, world, "a", working)
  await held()
  for (let times = 0; times < 5; times++) {
    state.hanging = true
    await passUntil("a problem", () => holder.problem())
    state.hanging = false
    await passUntil("a renewal", () => holder.problem() === undefined)
    const since = time()
    await passUntil("some renewals", () => time() > since + 700)
    state.lost = true
    await passUntil("the loss", () => !state.lost && holder.problem())
    await passUntil("a renewal", () => holder.problem() === undefined)
  }
  assert.equal(terms(), 1)
})

test("takes over a lease when it has not seen a renewal for its whole time, whatever the time in it", async (t) => {
  const spec = { holderIdentity: "gone", leaseDurationSeconds: 1, renewTime: "2020-01-01T00:00:00.000000Z" }
  const world = simulate(t, spec)
  await start(t, world, "a", new Set()).held()
  assert.ok(world.time() > 1000)
})

test("keeps the lease where another client writes to it in between", async (t) => {
  const world = simulate(t)
  const { state, passUntil } = world
  const { holder, held, lines, terms } = start(t, world, "a", new Set())
  await held()
  state.touched = true
  await passUntil("a renewal after the conflict", () => !state.touched)
  await passUntil("another renewal", () => state.renewals > 2)
  assert.deepEqual([holder.isHeld(), terms(), lines.length], [true, 1, 1])
})

test("waits between attempts where every write finds another one's", async (t) => {
  const world = simulate(t)
  const { state, passUntil } = world
  const { holder, held } = start(t, world, "a", new Set())
  await held()
  const before = state.writes
  state.contested = true
  await held(false)
  assert.match(holder.problem() ?? "", /one/)
  assert.ok(state.writes - before < 30, `${state.writes - before} writes in less than 1 s`)
  state.contested = false
  await passUntil("another term", () => holder.isHeld())
})

test("keeps a new term where the work of the one before fails late", async (t) => {
  const world = simulate(t)
  const { state, passUntil } = world
  const works: AbortSignal[] = []
  const failing = Promise.withResolvers<void>()
  const { holder, held, lines } = start(t, world, "a", new Set(), async (signal) => {
    if (works.push(signal) === 1) await failing.promise
    else if (!signal.aborted) await once(signal, "abort")
  })
  await held()
  state.hanging = true
  await held(false)
  state.hanging = false
  await held()
  failing.reject(new Error("interrupted"))
  await passUntil("the work of the second term", () => works[1])
  assert.deepEqual([holder.isHeld(), works[1]?.aborted], [true, false])
  assert.equal(lines.filter((line) => line.includes("the work under it failed")).length, 0)
})

test("begins its work again where that fails", async (t) => {
  const world = simulate(t)
  const { lines, terms } = start(t, world, "a", new Set(["another"]))
  await world.passUntil("a second term", () => terms() > 1)
  assert.match(lines.join(""), /lease lost.*reason="the work under it failed: a works beside another/)
})
