import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { exporterOf, HOUR, NOW, project, server, values } from "./testing.ts"

const FEBRUARY = Date.UTC(2026, 1, 1)
const APRIL = (Date.UTC(2026, 3, 1) - NOW) / HOUR
const STATE = {
  projects: [project("p")],
  servers: [server("a", "p", { launchedAt: FEBRUARY - 5 * HOUR, endedAt: FEBRUARY + 10 * HOUR }), server("b", "p")],
}
const FAMILY = "openstack_project_period_vcpu_seconds_total"
const usageRequests = (requests: readonly { readonly path: string }[]): number =>
  requests.filter(({ path }) => path === "/os-simple-tenant-usage").length

test("shows the usage of the latest months, each to its own end", async (t) => {
  const { api, exporter, at } = await exporterOf(t, STATE, ["--usage-months", "3"])
  const vcpuSeconds = (hours: number) => hours * 2 * 3600
  assert.deepEqual(await values(exporter, FAMILY), {
    "2026-01/p": vcpuSeconds(5),
    "2026-02/p": vcpuSeconds(10),
    "2026-03/p": vcpuSeconds(10),
  })
  // the month under way is the whole period here; the others are over, and not requested again
  assert.equal(usageRequests(api.requests), 3)
  await at(1)
  assert.equal(usageRequests(api.requests), 4)
  assert.deepEqual((await values(exporter, FAMILY))["2026-03/p"], vcpuSeconds(11))
})

test("a month that is over keeps its usage, whatever the cloud forgets, over a restart too", async (t) => {
  const stateFile = join(temporaryFolder(t).path, "state.json")
  const tested = await exporterOf(t, STATE, ["--usage-months", "2", "--state-file", stateFile])
  await tested.at(APRIL + 1)
  const march = (10 + APRIL) * 2 * 3600
  const expected = { "2026-03/p": march, "2026-04/p": 7200 }
  assert.deepEqual(await values(tested.exporter, FAMILY), expected)
  tested.api.state.servers = [server("b", "p", { launchedAt: Date.UTC(2026, 3, 1) })]
  await tested.restart()
  assert.deepEqual(await values(tested.exporter, FAMILY), expected)
})

test("usage of ten minutes after the end of a month is still looked for", async (t) => {
  const { api, exporter, at } = await exporterOf(t, STATE, ["--usage-months", "2"])
  await at(APRIL + 0.1)
  const late = server("late", "p", { launchedAt: NOW + (APRIL - 1) * HOUR })
  api.state.servers = [...STATE.servers, late]
  await at(APRIL + 0.2)
  const march = (10 + APRIL + 1) * 2 * 3600
  assert.deepEqual((await values(exporter, FAMILY))["2026-03/p"], march)
  api.state.servers = []
  await at(APRIL + 0.3)
  assert.deepEqual((await values(exporter, FAMILY))["2026-03/p"], march)
})

test("a month does not end because the exporter's clock is ahead", async (t) => {
  const { exporter, at } = await exporterOf(t, STATE, ["--usage-months", "1"])
  exporter.clock.now = new Date(NOW + (APRIL + 24) * HOUR)
  await exporter.update()
  assert.deepEqual(await values(exporter, FAMILY), { "2026-03/p": 10 * 2 * 3600 })
  await at(5)
  assert.deepEqual(await values(exporter, FAMILY), { "2026-03/p": 15 * 2 * 3600 })
})

test("a month that begins at this very moment is not requested yet, as Nova refuses an empty period", async (t) => {
  const { exporter, at } = await exporterOf(t, STATE, ["--usage-months", "1"])
  await at(APRIL)
  assert.deepEqual(Object.keys(await values(exporter, FAMILY)), ["2026-03/p"])
  await at(APRIL + 0.01)
  assert.deepEqual(await values(exporter, FAMILY), { "2026-04/p": 72 })
})

test("no month of the future begins because the exporter's clock is ahead, although no server lives", async (t) => {
  const ended = server("a", "p", { endedAt: NOW })
  const tested = await exporterOf(t, { projects: [project("p")], servers: [ended] }, ["--usage-months", "2"])
  const { api, exporter, at } = tested
  const march = { "2026-02/p": 0, "2026-03/p": 20 * 3600 }
  exporter.clock.now = new Date(NOW + (APRIL + 24) * HOUR)
  await exporter.update()
  assert.deepEqual(await values(exporter, FAMILY), march)
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 1)
  const { state } = api
  state.now = NOW + 2 * HOUR
  state.servers = [ended, server("b", "p", { launchedAt: NOW + HOUR, endedAt: NOW + 2 * HOUR })]
  await exporter.update()
  await at(5)
  assert.deepEqual(await values(exporter, FAMILY), { ...march, "2026-03/p": 22 * 3600 })
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 22 * 3600 })
  assert.match(exporter.log(), /level=warn .*the cloud's clock is ahead of ours/)
})

test("without the flag there are no months", async (t) => {
  const { exporter } = await exporterOf(t, STATE)
  assert.deepEqual(await values(exporter, FAMILY), {})
})

test("a month keeps what the cloud has forgotten when the start date becomes its beginning", async (t) => {
  const stateFile = join(temporaryFolder(t).path, "state.json")
  const args = ["--usage-months", "1", "--state-file", stateFile]
  const living = server("b", "p")
  const servers = [server("a", "p", { endedAt: NOW - 5 * HOUR }), living]
  const before = await exporterOf(t, { projects: [project("p")], servers }, [...args, "--start", "2026-02-15"])
  before.api.state.servers = [living]
  await before.at(1)
  const retained = { "2026-03/p": (5 + 11) * 2 * 3600 }
  assert.deepEqual(await values(before.exporter, FAMILY), retained)
  await before.exporter.close()
  const state = { projects: [project("p")], servers: [living], now: NOW + HOUR }
  const { exporter } = await exporterOf(t, state, [...args, "--start", "2026-03-01"])
  assert.deepEqual(await values(exporter, FAMILY), retained)
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: retained["2026-03/p"] })
})
