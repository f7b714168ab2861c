import assert from "node:assert/strict"
import { once } from "node:events"
import { json } from "node:stream/consumers"
import { test, type TestContext } from "node:test"
import { setTimeout as delay } from "node:timers/promises"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../dev/testing/until.ts"
import type { KubernetesApi } from "./api.ts"
import { holdLease, type LeaseHolder } from "./lease.ts"
import { serveApi } from "./testing.ts"

/** One Lease, with the API's rules for versions. */
async function serveLease(t: TestContext, initial?: Record<string, unknown>) {
  let lease = initial && { metadata: { name: "one", resourceVersion: "0" }, spec: initial }
  let version = 0
  const state = { hanging: false, touched: false, renewals: 0 }
  const api = await serveApi(t, (request, response) => {
    if (state.hanging) return
    const send = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
    if (request.method === "GET") {
      send(lease === undefined ? 404 : 200, lease ?? {})
      return
    }
    void (json(request) as Promise<NonNullable<typeof lease>>).then((sent) => {
      const current = request.method === "POST" ? undefined : sent.metadata.resourceVersion
      if (state.touched || current !== lease?.metadata.resourceVersion) {
        state.touched = false
        return send(409, { reason: "Conflict", message: "modified" })
      }
      state.renewals += 1
      lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(++version) } }
      return send(200, lease)
    })
  })
  return { api, state, spec: () => lease?.spec ?? {} }
}

/** Counts how many work at the same time. */
function start(t: TestContext, api: KubernetesApi, identity: string, working: Set<string>, seconds = 1) {
  const lines: string[] = []
  let terms = 0
  const holder = holdLease(api, {
    namespace: "test",
    name: "one",
    identity,
    seconds,
    now: () => new Date("2026-01-02T03:04:05.678Z"),
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    async work(signal) {
      terms += 1
      assert.equal(working.size, 0, `${identity} works beside ${[...working].join()}`)
      working.add(identity)
      if (!signal.aborted) await once(signal, "abort")
      await delay(500) // work that ends slowly: longer than another holder waits between two attempts
      working.delete(identity)
    },
  })
  t.after(() => holder.close())
  return { holder, lines, terms: () => terms }
}

const held = (holder: LeaseHolder, expected = true) =>
  until(`isHeld ${expected}`, () => (holder.isHeld() === expected ? true : undefined))

test("one of two works, renews, and the other follows when it closes", async (t) => {
  const { api, spec, state } = await serveLease(t)
  const working = new Set<string>()
  const a = start(t, api, "a", working)
  await held(a.holder)
  assert.deepEqual(spec(), {
    holderIdentity: "a",
    leaseDurationSeconds: 1,
    renewTime: "2026-01-02T03:04:05.678000Z",
    acquireTime: "2026-01-02T03:04:05.678000Z",
    leaseTransitions: 0,
  })
  const b = start(t, api, "b", working)
  await until("b to see a", () => (b.holder.holder() === "a" ? true : undefined))
  await until("renewals for longer than it lasts", () => (state.renewals > 8 ? true : undefined))
  assert.deepEqual([...working, a.terms(), b.terms()], ["a", 1, 0])
  await a.holder.close()
  assert.equal(a.holder.isHeld(), false)
  await held(b.holder)
  assert.deepEqual([[...working], b.lines.filter((line) => line.includes("lost"))], [["b"], []])
  assert.deepEqual([spec().holderIdentity, spec().leaseTransitions], ["b", 1])
})

test("ends its work before the lease expires where it cannot be renewed, and works again afterwards", async (t) => {
  const { api, state } = await serveLease(t)
  const working = new Set<string>()
  const { holder, lines, terms } = start(t, api, "a", working)
  await held(holder)
  const since = performance.now()
  state.hanging = true
  await held(holder, false)
  assert.ok(performance.now() - since < 1000)
  await until("the work to end", () => (working.size === 0 ? true : undefined))
  await until("a problem", () => holder.problem())
  state.hanging = false
  await held(holder)
  await until("a second term", () => (terms() === 2 ? true : undefined))
  assert.equal(lines.filter((line) => line.includes("renewing the lease failed")).length, 1)
  assert.match(lines.join(""), /lease lost, becoming passive" lease=one reason="not renewed in time"/)
})

test("takes over a lease when it has not seen a renewal for its whole time, whatever the time in it", async (t) => {
  const spec = { holderIdentity: "gone", leaseDurationSeconds: 1, renewTime: "2020-01-01T00:00:00.000000Z" }
  const { api } = await serveLease(t, spec)
  const since = performance.now()
  const { holder } = start(t, api, "a", new Set())
  await held(holder)
  assert.ok(performance.now() - since > 1000)
})

test("keeps the lease where another client writes to it in between", async (t) => {
  const { api, state } = await serveLease(t)
  const { holder, lines, terms } = start(t, api, "a", new Set())
  await held(holder)
  state.touched = true
  await until("a renewal after the conflict", () => (state.touched ? undefined : true))
  await until("another renewal", () => (state.renewals > 2 ? true : undefined))
  assert.deepEqual([holder.isHeld(), terms(), lines.length], [true, 1, 1])
})

test("keeps a new term where the work of the one before fails late", async (t) => {
  const { api, state } = await serveLease(t)
  const lines: string[] = []
  const works: AbortSignal[] = []
  const failing = Promise.withResolvers<void>()
  const holder = holdLease(api, {
    namespace: "test",
    name: "one",
    identity: "a",
    seconds: 1,
    now: () => new Date(),
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    async work(signal) {
      if (works.push(signal) === 1) await failing.promise
      else if (!signal.aborted) await once(signal, "abort")
    },
  })
  t.after(() => holder.close())
  await held(holder)
  state.hanging = true
  await held(holder, false)
  state.hanging = false
  await held(holder)
  failing.reject(new Error("interrupted"))
  await until("the work of the second term", () => works[1])
  assert.deepEqual([holder.isHeld(), works[1]?.aborted], [true, false])
  assert.equal(lines.filter((line) => line.includes("the work under it failed")).length, 0)
})

test("begins its work again where that fails", async (t) => {
  const { api } = await serveLease(t)
  const { lines, terms } = start(t, api, "a", new Set(["another"]))
  await until("a second term", () => (terms() > 1 ? true : undefined))
  assert.match(lines.join(""), /lease lost.*reason="the work under it failed: a works beside another/)
})
