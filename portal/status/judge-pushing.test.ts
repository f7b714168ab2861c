import assert from "node:assert/strict"
import test from "node:test"
import { judgePushing, type PushFacts } from "./judge-pushing.ts"

const NOW = Date.parse("2026-11-30T14:00:00Z") / 1000

const judged = (facts: Partial<PushFacts>) => {
  const all = { interval: 30, writes: { last: 1, setAside: 0 }, delivered: NOW - 10, now: NOW, listedSince: NOW - 7200 }
  const { state, cause, details } = judgePushing({ ...all, ...facts })
  return [state, cause, details]
}

test("a site that pushes delivers while its last write is young", () => {
  assert.deepEqual(judged({}), ["ok", null, {}])
  assert.deepEqual(judged({ delivered: NOW - 119 }), ["ok", null, {}])
})

test("it is stale when it writes late, and down when it is silent, by its interval", () => {
  assert.deepEqual(judged({ delivered: NOW - 121 }), ["stale", "push_late", { age: "2 min", interval: "30 seconds" }])
  assert.deepEqual(judged({ delivered: NOW - 300 })[0], "stale")
  assert.deepEqual(judged({ delivered: NOW - 301 }), ["down", "push_silent", { since: "30 Nov 2026, 13:54:59 UTC" }])
  assert.deepEqual(judged({ delivered: NOW - 299, interval: 5 })[0], "stale")
  assert.deepEqual(judged({ delivered: NOW - 700, interval: 300 })[0], "stale")
  assert.deepEqual(judged({ delivered: NOW - 3001, interval: 300 })[0], "down")
})

test("one that never wrote waits, and is down when that lasts", () => {
  const never = { delivered: undefined, writes: { last: 0, setAside: 0 } }
  const since = { since: "30 Nov 2026, 13:55:00 UTC" }
  assert.deepEqual(judged({ ...never, listedSince: NOW - 300 }), ["waiting", "push_waiting", since])
  assert.deepEqual(judged({ ...never, listedSince: NOW - 601 }).slice(0, 2), ["down", "push_never"])
})

test("it needs attention while series of it are set aside", () => {
  assert.deepEqual(judged({ writes: { last: NOW, setAside: 1904.3 } }), ["attention", "push_set_aside", { n: "1,904" }])
})

test("nothing is known where Prometheus has nothing of the tenancy proxy, whatever was known before", () => {
  assert.deepEqual(judged({ writes: undefined }), ["unknown", "push_not_measured", {}])
})
