import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../../../dev/testing/until.ts"
import { HOUR, NOW, project, server, values } from "./accounts/testing.ts"
import { fakeCloud, refused } from "./openstack/fake-cloud.testing.ts"
import { distinguishingLabels } from "./openstack/api.ts"
import { startTestExporter } from "./testing.ts"

const STATE = { projects: [project("p")], servers: [server("a", "p")] }
const ARGS = ["--start", "2026-03-01", "--max-age", "2h", "--update-interval", "1h"]

test("labels distinguish clouds by what differs, and only by that", () => {
  const api = (cloud: string | undefined, region: string | undefined) => ({ cloud, region })
  assert.deepEqual(distinguishingLabels([api("a", "x")]), [{}])
  assert.deepEqual(distinguishingLabels([api("a", "x"), api("a", "y")]), [{ region: "x" }, { region: "y" }])
  assert.deepEqual(distinguishingLabels([api("a", "x"), api("b", "x")]), [{ cloud: "a" }, { cloud: "b" }])
  assert.deepEqual(distinguishingLabels([api("a", "x"), api("a", undefined), api("b", "x")]), [
    { cloud: "a", region: "x" },
    { cloud: "a", region: "" },
    { cloud: "b", region: "x" },
  ])
})

test("a region that cannot be read keeps its own last usage for the greatest age, and the others go on", async (t) => {
  const north = fakeCloud(STATE, { region: "north" })
  const south = fakeCloud(STATE, { region: "south" })
  const exporter = await startTestExporter(t, ARGS, [north, south])
  assert.deepEqual(await values(exporter), { "north/p": 20, "south/p": 20 })
  const at = async (hours: number): Promise<void> => {
    for (const { state } of [north, south]) state.now = NOW + hours * HOUR
    exporter.clock.now = new Date(NOW + hours * HOUR)
    await exporter.update()
  }
  south.intercept = () => {
    throw refused(503)
  }
  await at(1)
  assert.deepEqual(await values(exporter), { "north/p": 22, "south/p": 20 })
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
  assert.match(await exporter.scrape(), /^fedstack_project_usage_cloud_up\{region="north"\} 1$/m)
  assert.match(await exporter.scrape(), /^fedstack_project_usage_cloud_up\{region="south"\} 0$/m)
  assert.match(exporter.log(), /msg="cannot be read" what=south reason="responded with 503"/)
  await at(2.1)
  assert.deepEqual(await values(exporter), { "north/p": 24.2 })
  south.intercept = () => undefined
  await at(3)
  assert.deepEqual(await values(exporter), { "north/p": 26, "south/p": 26 })
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 1)
})

test("a domain is reported missing only where every region was read and none has it", async (t) => {
  const [north, south] = [fakeCloud(STATE, { region: "north" }), fakeCloud(STATE, { region: "south" })]
  south.state.domains = [...south.state.domains, { id: "o", name: "other" }]
  const exporter = await startTestExporter(t, [...ARGS, "--domain", "elixir", "other"], [north, south])
  const missing = () => exporter.value("fedstack_exporter_collector_missing")
  await exporter.scrape()
  assert.equal(await missing(), 0)
  south.intercept = () => {
    throw refused(503)
  }
  await exporter.update()
  assert.equal(await missing(), 1)
  assert.doesNotMatch(exporter.log(), /domain other/)
  south.intercept = () => undefined
  south.state.domains = north.state.domains
  await exporter.update()
  assert.equal(await missing(), 1)
  assert.match(exporter.log(), /what="domain other" reason="there is no such domain/)
})

test("all regions failing leaves all as it was", async (t) => {
  const apis = ["north", "south"].map((region) => fakeCloud(STATE, { region }))
  const exporter = await startTestExporter(t, ARGS, apis)
  await exporter.scrape()
  for (const api of apis)
    api.intercept = () => {
      throw refused(503)
    }
  await exporter.update()
  assert.deepEqual(await values(exporter), { "north/p": 20, "south/p": 20 })
  assert.match(exporter.log(), /what=north reason="responded with 503"\n.*what=south reason="responded with 503"\n/)
})

test("when all regions fail, each ends at its own greatest age, also one that failed before the others", async (t) => {
  const [north, south] = [fakeCloud(STATE, { region: "north" }), fakeCloud(STATE, { region: "south" })]
  const exporter = await startTestExporter(t, ARGS, [north, south])
  await exporter.scrape()
  const at = async (hours: number): Promise<void> => {
    north.state.now = NOW + hours * HOUR
    exporter.clock.now = new Date(NOW + hours * HOUR)
    await exporter.update()
  }
  const away = () => {
    throw refused(503)
  }
  south.intercept = away
  await at(1.5)
  assert.deepEqual(await values(exporter), { "north/p": 23, "south/p": 20 })
  north.intercept = away
  await at(2.1)
  assert.deepEqual(await values(exporter), { "north/p": 23 })
  const lastSuccess = await exporter.value("fedstack_exporter_collector_last_success_timestamp_seconds")
  assert.equal(lastSuccess, NOW / 1000) // not when only one of them was read
  await at(3.6)
  assert.deepEqual(await values(exporter), {})
})

test("what took longer than the greatest age to read is shown", async (t) => {
  const [north, south] = [fakeCloud(STATE, { region: "north" }), fakeCloud(STATE, { region: "south" })]
  const exporter = await startTestExporter(t, ARGS, [north, south])
  await exporter.scrape()
  north.intercept = () => {
    exporter.clock.now = new Date(NOW + 3 * HOUR)
  }
  await exporter.update()
  assert.deepEqual(await values(exporter), { "north/p": 20, "south/p": 20 })
})

test("shows the configured tags and properties of projects", async (t) => {
  const more = { tags: ["team=bio 🧬", "cost:7", "open", "other=x"], enabled: false, description: 'a "b"' }
  const api = fakeCloud({ projects: [project("p", "p", "d", more), project("q")] })
  const labels = ["team", "cost", "open", "enabled", "description", "absent"]
  const exporter = await startTestExporter(t, ["--project-labels", ...labels], [api])
  const base = (id: string) => `domain_id="d",domain_name="elixir",project_id="${id}",project_name="${id}"`
  const text = await exporter.scrape()
  assert.deepEqual(text.match(/^openstack_project_info.*$/gm), [
    `openstack_project_info{${base("p")},team="bio 🧬",cost="7",open="true",enabled="false",description="a \\"b\\"",absent=""} 1`,
    `openstack_project_info{${base("q")},team="",cost="",open="",enabled="true",description="",absent=""} 1`,
  ])
})

test("what is in use can be left out", async (t) => {
  const exporter = await startTestExporter(t, [...ARGS, "--in-use", "false"], [fakeCloud(STATE)])
  assert.doesNotMatch(await exporter.scrape(), /openstack_project_(?:servers|vcpus|memory_bytes|disk_bytes)\b/)
})

test("reads quotas in the background where that is configured, and keeps them when they cannot be read", async (t) => {
  const api = fakeCloud({ projects: [project("p"), project("q"), project("pool")] })
  let broken = false
  const sets: Record<string, object> = {
    p: { instances: 10, cores: 20, ram: 51_200 },
    q: { instances: -1, cores: -1, ram: -1 },
  }
  api.intercept = ({ path }) => {
    if (!path.startsWith("/os-quota-sets/")) return undefined
    if (broken) throw refused(403)
    return { quota_set: sets[path.split("/")[2] ?? ""] ?? { instances: 1, cores: 1, ram: 1 } }
  }
  const exporter = await startTestExporter(t, [...ARGS, "--quota-interval", "1h", "--simple-vm-id", "pool"], [api])
  const quotas = async (): Promise<readonly string[]> => {
    await exporter.update()
    return (await exporter.scrape()).match(/^openstack_project_quota_.*$/gm) ?? []
  }
  const found = await until("quotas", async () => ((await quotas()).length > 0 ? quotas() : undefined))
  assert.deepEqual(
    found.map((line) => line.replace(/\{.*project_name="(.*)"\}/, " $1")),
    [
      "openstack_project_quota_servers p 10",
      "openstack_project_quota_servers q +Inf",
      "openstack_project_quota_vcpus p 20",
      "openstack_project_quota_vcpus q +Inf",
      "openstack_project_quota_memory_bytes p 53687091200",
      "openstack_project_quota_memory_bytes q +Inf",
    ],
  )
  assert.equal(api.requests.filter(({ path }) => path.startsWith("/os-quota-sets/")).length, 3)
  broken = true
  exporter.clock.now = new Date(NOW + HOUR)
  await until("the warning", async () => {
    assert.deepEqual(await quotas(), found)
    const line = /level=warn .*msg="cannot be read" what=quotas reason="keeping the previous ones: responded with 403"/
    return line.test(exporter.log()) ? true : undefined
  })
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
})
