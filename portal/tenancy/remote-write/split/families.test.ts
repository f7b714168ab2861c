import assert from "node:assert/strict"
import test from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { Families } from "./families.ts"

const MINUTE = 60_000
const red = "red" as TenantId
const GAUGE = 2

/** How many of so many requests are noted. */
function noted(families: Families, requests: number, now: number): number {
  let count = 0
  for (let request = 0; request < requests; request++) if (families.listens(now)) count++
  return count
}

test("notes all requests of the first minute, and none where nobody sends metadata", () => {
  const families = new Families(0)
  assert.equal(noted(families, 100, 0), 100)
  assert.equal(noted(families, 100, MINUTE - 1), 100)
  assert.equal(noted(families, 100, MINUTE), 0)
  assert.equal(noted(families, 100, 1000 * MINUTE), 0)
})

test("notes all of a minute every quarter of an hour, and a few between, while metadata comes", () => {
  const families = new Families(0)
  families.tenantsOf("up", GAUGE, 5 * MINUTE)
  assert.equal(noted(families, 100, 5 * MINUTE), 100)
  assert.equal(noted(families, 320, 6 * MINUTE), 10)
  families.tenantsOf("up", GAUGE, 19 * MINUTE)
  assert.equal(noted(families, 320, 19.9 * MINUTE), 10)
  assert.equal(noted(families, 100, 20 * MINUTE), 100)
  assert.equal(noted(families, 320, 21 * MINUTE), 10)
  assert.equal(noted(families, 100, 49 * MINUTE), 0)
})

test("forgets a name that is not written for two hours, and no other", () => {
  const families = new Families(0)
  families.note("up", red, 0)
  families.listens(61 * MINUTE)
  families.note("down", red, 61 * MINUTE)
  assert.deepEqual([...families.tenantsOf("up", GAUGE, 61 * MINUTE)], ["red"])
  families.listens(122 * MINUTE)
  assert.deepEqual([...families.tenantsOf("up", GAUGE, 122 * MINUTE)], [])
  assert.deepEqual([...families.tenantsOf("down", GAUGE, 122 * MINUTE)], ["red"])
})

test("wants names again that it begins to forget", () => {
  const families = new Families(0)
  const [message, route] = [Buffer.from("up"), { destinations: [], byDefault: true }]
  const isSeen = (): boolean => families.seen.add(message, 0, 2, route, 0)
  assert.deepEqual([isSeen(), isSeen()], [false, true])
  families.listens(60 * MINUTE)
  assert.equal(isSeen(), true)
  families.listens(61 * MINUTE)
  assert.deepEqual([isSeen(), isSeen()], [false, true])
})

test("keeps a tenant that makes up names from displacing what others have", () => {
  const families = new Families(0)
  families.note("up", red, 0)
  for (let name = 0; name < 300_000; name++) families.note(`made_up_${name}`, "blue" as TenantId, 0)
  assert.deepEqual([...families.tenantsOf("up", GAUGE, 0)], ["red"])
  assert.deepEqual([...families.tenantsOf("made_up_9999", GAUGE, 0)], ["blue"])
  assert.deepEqual([...families.tenantsOf("made_up_10000", GAUGE, 0)], [])
})

test("holds a bounded number of names, of however many tenants", () => {
  const families = new Families(0)
  for (let tenant = 0; tenant < 20; tenant++) {
    for (let name = 0; name < 10_000; name++) families.note(`${tenant}_${name}`, `t${tenant}` as TenantId, 0)
  }
  assert.deepEqual([...families.tenantsOf("0_0", GAUGE, 0)], [])
  assert.deepEqual([...families.tenantsOf("19_9999", GAUGE, 0)], ["t19"])
  families.note("n".repeat(301), red, 0)
  assert.deepEqual([...families.tenantsOf("n".repeat(301), GAUGE, 0)], [])
})
