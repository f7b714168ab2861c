import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { until } from "../../../../../dev/testing/until.ts"
import { fakeCloud, refused } from "./fake-cloud.testing.ts"
import { openQuotas } from "./quotas.ts"

const { signal } = new AbortController()
const set = { quota_set: { instances: 1, cores: 2, ram: 3 } }

function quotasOf(intercept: (id: string) => unknown, ids: readonly string[] = ["p", "gone", "q"]) {
  const clock = { seconds: 1_000_000 }
  const api = fakeCloud()
  api.intercept = ({ path }) => intercept(path.split("/")[2] ?? "")
  const read = openQuotas(api, { every: 60, now: () => new Date(clock.seconds * 1000) })
  return { api, clock, read: () => [...read(ids, signal).keys()], failure: read.failure }
}

test("a project that was deleted meanwhile has no quota, and the others have theirs", async () => {
  const { read, failure } = quotasOf((id) => {
    if (id === "gone") throw refused(400, "Project ID gone is not a valid project.")
    return set
  })
  const found = await until("quotas", () => (read().length > 0 ? read() : undefined))
  assert.deepEqual(found, ["p", "q"])
  assert.equal(failure(), undefined)
})

for (const [status, message] of [
  [400, "Nova was unable to find Keystone service endpoint."],
  [404, "no such address"],
] as const) {
  test(`a cloud that refuses every project with ${status} is a failure, not one without quotas`, async () => {
    const { read, failure } = quotasOf(() => {
      throw refused(status, message)
    })
    read()
    await until("the failure", () => failure())
    assert.equal(failure(), `keeping the previous ones: responded with ${status}: ${message}`)
  })
}

test("a reading that takes longer than the interval is the only one", async () => {
  const response = Promise.withResolvers<unknown>()
  const { api, clock, read } = quotasOf(() => response.promise)
  read()
  await until("requests", () => (api.requests.length === 3 ? true : undefined))
  clock.seconds += 3600
  read()
  await turn()
  assert.equal(api.requests.length, 3)
  response.resolve(set)
  await until("the next reading", () => (read().length === 3 && api.requests.length === 6 ? true : undefined))
})

test("a clock that was ahead for a while does not keep the next reading away", async () => {
  const { api, clock, read } = quotasOf(() => set)
  clock.seconds += 86_400
  read()
  await until("quotas", () => (read().length === 3 ? true : undefined))
  clock.seconds -= 86_400
  read()
  await until("the next reading", () => (api.requests.length === 6 ? true : undefined))
})

test("a reading that fails sends no more requests", async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `p${index}`)
  const { api, read, failure } = quotasOf((id) => {
    if (id === "p0") throw refused(503)
    return set
  }, ids)
  read()
  await until("the failure", () => (failure() === "keeping the previous ones: responded with 503" ? true : undefined))
  assert.ok(api.requests.length < 20, String(api.requests.length))
  for (let turns = 0; turns < 50; turns += 1) await turn()
  assert.ok(api.requests.length < 20, String(api.requests.length))
})
