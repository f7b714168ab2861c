import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../../../dev/testing/component.ts"
import { findOpenStack, startOpenStack } from "../../../../../dev/testing/openstack.ts"
import { agree, expectedUsage, startRealExporter } from "./real-exporter.testing.ts"

const PROJECTS = 1000
/** Without databases of an earlier run, making them takes minutes. */
const TIMEOUT = 400_000

test("reads 1,012 projects of a real cloud in ten requests", { timeout: TIMEOUT }, async (t) => {
  const script = need(t, findOpenStack())
  if (script === undefined) return
  const cloud = await startOpenStack(script, { keep: "many" })
  t.after(() => cloud.close())
  const seed = await cloud.seed("--projects", String(PROJECTS), "--servers-per-project", "5")
  const exporter = await startRealExporter(t, cloud.openrc, ["--domain", "--start", "2025-01-15"])
  const scraped = await exporter.first()
  agree(scraped, expectedUsage(seed, { start: "2025-01-15T00:00:00Z", end: scraped.end, weights: false }))
  // those that were seeded, and Keystone's own two: admin and service
  assert.equal(scraped.usage.size, 1012)
  assert.equal(Object.keys(seed.projects).length, PROJECTS + 10)
  const requests = ["identity", "compute"].map((service) =>
    scraped.value(`fedstack_openstack_requests_total{service="${service}",outcome="ok"}`),
  )
  // sign-in, domains, projects; pages of 1,000 servers
  const used = Object.values(seed.servers).filter(
    ({ launched_at, terminated_at }) => launched_at !== null && (terminated_at ?? "3") >= "2025-01-15",
  ).length
  assert.deepEqual(requests, [3, Math.floor(used / 1000) + 1])
})
