import assert from "node:assert/strict"
import { test } from "node:test"
import { createPager, type PagedQuery } from "./pages.ts"
import { blockOf } from "./store.testing.ts"
import { createPageMemory } from "./store/page-memory.ts"

const block = blockOf([{ labels: { __name__: "up" }, samples: [[1, 1]] }])
const NEVER = new AbortController().signal
const NO_METRICS = { pages: { inc: () => undefined } }
const QUERY: PagedQuery = {
  key: "",
  tenants: ["a", "b"].map((name) => ({
    store: {
      read: () => Promise.resolve({ block, bytes: 100 }),
      names: () => Promise.resolve(["up"]),
      metadata: () => Promise.resolve(new Map()),
    },
    label: ["tenant_id", name],
  })),
  selectors: [],
  range: { start: 0, end: 1 },
  metadata: new Map(),
}

test("takes memory for a page of all tenants as long as it is written, and gives it back at once", async () => {
  const memory = createPageMemory(200)
  const read = createPager({ memory, metrics: NO_METRICS as never })
  const reading = read(QUERY, NEVER)
  const first = await reading.next()
  assert.ok(first.done !== true)
  assert.deepEqual(first.value, [
    { block, label: ["tenant_id", "a"] },
    { block, label: ["tenant_id", "b"] },
  ])
  const waiting = read(QUERY, NEVER)
  const second = waiting.next()
  assert.equal(memory.used, 200)
  assert.equal((await reading.next()).done, true)
  assert.equal((await second).done, false)
  assert.equal(memory.used, 200)
  await waiting.return(undefined)
  assert.equal(memory.used, 0)
})
