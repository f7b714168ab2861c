import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../../dev/testing/until.ts"
import { record, resource, startChain } from "./chain.testing.ts"

test("500 resources of 20 tenants are written once, and each tenant is read once", { timeout: 480_000 }, async (t) => {
  const chain = await startChain(t, ["one"])
  if (chain === undefined) return
  const { apply, settled, calls, proxy } = chain
  const rare = ["--updater-poll-interval-seconds", "3600"]
  const tenants = Array.from({ length: 20 }, (_, index) => `tenant-${index}`)
  const names = Array.from({ length: 500 }, (_, index) => `group-${index}`)
  await apply(...names.map((name) => resource(`one/${name}`, tenants, record(name))))
  const informer = await chain.start(t, ...rare)
  // counted on their way: reading 10,000 groups again and again would take more time than writing them
  await until("all groups", () => proxy.calls.length >= tenants.length * (1 + names.length), 240)
  await settled()
  const lists = tenants.map((tenant) => `list ${tenant}`)
  const sets = tenants.flatMap((tenant) => names.map((name) => `set ${tenant} one/${name}`))
  assert.deepEqual(calls(), [...lists, ...sets].toSorted())
  await informer.close()
  const again = await chain.start(t, ...rare)
  await until("it to be ready", async () => (await again.ready()) === "200 Ready.")
  assert.deepEqual(calls(), lists.toSorted())
})
