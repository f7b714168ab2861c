import assert from "node:assert/strict"
import { test } from "node:test"
import { headerOf, seriesOfAll, startFakeStore } from "../store.testing.ts"
import { startTestExposition, TOKEN } from "../testing.ts"

const START = Date.parse("2030-01-01")
const END = Date.parse("2030-02-01T12:00:00+01:00")

test("each token of a tenant counts from its beginning to its end, also where what it reads is reused", async (t) => {
  let time = START - 1
  const store = await startFakeStore(
    t,
    seriesOfAll(() => [{ labels: { __name__: "up" }, samples: [[time, 1]] }]),
  )
  const { get } = await startTestExposition(
    t,
    `upstreams: ["${store.url}"]
reuse: 5m
tokens:
  - name: team
    tenants: [a]
    match: [up]
    secrets:
      - {env: TEAM_TOKEN, not_after: 2030-02-01T12:00:00+01:00}
      - {env: OTHER_TOKEN, valid_from: 2030-01-01}
`,
    { now: () => new Date(time) },
  )
  const statuses = async (): Promise<readonly number[]> => {
    const all = []
    for (const token of [TOKEN, `other-${TOKEN}`]) {
      all.push((await get("/metrics", { authorization: `Bearer ${token}` })).status)
    }
    return all
  }
  assert.deepEqual(await statuses(), [200, 401])
  time = START
  assert.deepEqual(await statuses(), [200, 200])
  time = END - 1
  assert.deepEqual(await statuses(), [200, 200])
  time = END
  assert.deepEqual(await statuses(), [401, 200])
  assert.deepEqual(
    store.reads().map((received) => headerOf(received, "x-scope-orgid")),
    store.reads().map(() => ["a"]),
  )
})
