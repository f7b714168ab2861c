import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { TIMEOUTS } from "#core/http/listener.ts"
import { exporterOf, HOUR, NOW, project, server, values } from "../accounts/testing.ts"
import type { Api } from "./api.ts"
import { fakeCloud, refused } from "./fake-cloud.testing.ts"
import { fileOf, startTestExporter } from "../testing.ts"

const golden = (name: string): string => readFileSync(new URL(`../testdata/${name}`, import.meta.url), "utf8")
const PLAIN = { projects: [project("p"), project("q")], servers: [server("a", "p"), server("b", "q")] }

test("exports a whole cloud at the first scrape", async (t) => {
  const domains = [
    { id: "d", name: "elixir" },
    { id: "other", name: 'Größe "x"' },
  ]
  const projects = [
    project("p", "same name"),
    project("empty"),
    project("off", "disabled", "d", { enabled: false }),
    project("q", "same name", "other"),
    project("r", 'quoted "name"\nsecond \\ line 🧬', "other"),
  ]
  const servers = [
    server("a", "p"),
    server("b", "p", { endedAt: NOW - 5 * HOUR, memoryMb: 512 }),
    server("c", "off"),
    server("e", "q", { vcpus: 8 }),
    server("f", "r"),
    server("g", "deleted"),
  ]
  const { exporter } = await exporterOf(t, { domains, projects, servers, maxLimit: 2 })
  assert.equal(await exporter.scrape(), golden("openstack.prom"))
})

test("reads the wanted domains only, by name or id", async (t) => {
  const domains = [
    { id: "d", name: "elixir" },
    { id: "other", name: "Default" },
  ]
  const state = { domains, projects: [project("p"), project("q", "q", "other")] }
  const chosen = async (...argv: readonly string[]) =>
    Object.keys(await values(await startTestExporter(t, argv, [fakeCloud(state)])))
  assert.deepEqual(await chosen(), ["p"])
  assert.deepEqual(await chosen("--domain"), ["p", "q"])
  assert.deepEqual(await chosen("--domain", "Default"), ["q"])
  assert.deepEqual(await chosen("--domain-id", "d", "--domain", "Default"), ["p"])
})

test("reports a domain that does not exist once, and exports the others", async (t) => {
  const exporter = await startTestExporter(t, ["--domain", "elixir", "nowhere"], [fakeCloud(PLAIN)])
  await exporter.scrape()
  await exporter.update()
  assert.deepEqual(await values(exporter), { p: 20, q: 20 })
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
  assert.equal(await exporter.value("fedstack_project_usage_cloud_up"), 1)
  assert.deepEqual(exporter.log().match(/msg="cannot be read".*/g), [
    'msg="cannot be read" what="domain nowhere" reason="there is no such domain; there is elixir (d). Correct --domain"',
  ])
})

const UNKNOWN_POOLS: readonly (readonly [what: string, id: string, hint: string])[] = [
  ["does not exist", "nowhere", ""],
  ["is in a domain that is not exported", "r", ""],
  ["is given by its name", "name of q", "; that is the name of q"],
]
for (const [what, id, hint] of UNKNOWN_POOLS) {
  test(`reports a pool that ${what}, and exports the projects`, async (t) => {
    const domains = [
      { id: "d", name: "elixir" },
      { id: "other", name: "Default" },
    ]
    const projects = [project("p"), project("q", "name of q"), project("r", "r", "other")]
    const api = fakeCloud({ domains, projects, servers: [server("a", "p")] })
    const exporter = await startTestExporter(t, ["--start", "2026-03-01", "--simple-vm-id", id], [api])
    assert.deepEqual(await values(exporter), { p: 20, "name of q": 0 })
    assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
    const reason = `there is no project with this id in the exported domains${hint}. Correct --simple-vm-id`
    assert.ok(exporter.log().includes(`what="pool ${id}" reason="${reason}"`), exporter.log())
  })
}

test("a domain and a pool that one of two clouds has are not missing", async (t) => {
  const one = fakeCloud({ ...PLAIN, projects: [project("p"), project("pool")] }, { cloud: "one" })
  const two = fakeCloud({ ...PLAIN, domains: [{ id: "other", name: "Default" }] }, { cloud: "two" })
  const argv = ["--start", "2026-03-01", "--domain", "elixir", "Default", "--simple-vm-id", "pool"]
  const exporter = await startTestExporter(t, argv, [one, two])
  assert.deepEqual(await values(exporter), { p: 20 })
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 1)
  const neither = await startTestExporter(t, [...argv, "--domain", "nowhere"], [one, two])
  await neither.scrape()
  assert.match(neither.log(), /what="domain nowhere" reason=/)
})

test("follows the pages of projects", async (t) => {
  const api = fakeCloud()
  api.intercept = ({ path, query }) => {
    if (path !== "/projects") return undefined
    const item = (id: string) => ({ id, name: id, domain_id: "d" })
    if (query.marker === undefined)
      return { projects: [item("p")], links: { next: "https://x.invalid/v3/projects?limit=1&marker=p" } }
    assert.deepEqual(query, { limit: "1", marker: "p" })
    return { projects: [item("q")], links: { next: null } }
  }
  assert.deepEqual(await values(await startTestExporter(t, ["--start", "2026-03-01"], [api])), { p: 0, q: 0 })
})

test("a project that was deleted ends, a new one begins at its full usage", async (t) => {
  const { api, exporter, at } = await exporterOf(t, PLAIN)
  assert.deepEqual(await values(exporter), { p: 20, q: 20 })
  api.state.projects = [project("q"), project("new")]
  api.state.servers = [server("b", "q"), server("c", "new", { launchedAt: NOW })]
  await at(1)
  assert.deepEqual(await values(exporter), { q: 22, new: 2 })
})

const faults: readonly (readonly [what: string, path: string])[] = [
  ["projects", "/projects"],
  ["domains", "/domains"],
  ["usage", "/os-simple-tenant-usage"],
  ["a later page of usage", "/os-simple-tenant-usage?marker=a"],
  ["the pool's servers", "/servers/detail"],
]
for (const [what, where] of faults) {
  test(`uses nothing of an update that cannot read ${what}, and all of the next`, async (t) => {
    const { api, exporter, at } = await exporterOf(t, { ...PLAIN, maxLimit: 1 }, ["--simple-vm-id", "pool"])
    api.intercept = ({ path, query }) => {
      if (`${path}${query.marker === undefined ? "" : `?marker=${query.marker}`}` === where) throw refused(503)
    }
    await at(0.1)
    assert.deepEqual(await values(exporter), { p: 20, q: 20 })
    assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
    assert.equal(await exporter.value("fedstack_project_usage_cloud_up"), 0)
    assert.match(exporter.log(), /level=error .*msg="cannot be read" what=cloud reason="responded with 503"/)
    assert.match(await exporter.scrape(), /^fedstack_project_usage_cloud_failures_total\{reason="server_error"\} 1$/m)
    api.intercept = () => undefined
    await at(1)
    assert.deepEqual(await values(exporter), { p: 22, q: 22 })
    assert.equal(await exporter.value("fedstack_project_usage_cloud_up"), 1)
  })
}

test("ends usage that is too old, and it is whole when the cloud is back", async (t) => {
  const { api, exporter, at } = await exporterOf(t, PLAIN, ["--max-age", "2h"])
  api.intercept = () => {
    throw refused(503)
  }
  await at(2)
  assert.deepEqual(await values(exporter), { p: 20, q: 20 })
  await at(2.1)
  assert.deepEqual(await values(exporter), {})
  api.intercept = () => undefined
  await at(3)
  assert.deepEqual(await values(exporter), { p: 26, q: 26 })
})

test("a clock that goes back does not take usage back, and is logged once", async (t) => {
  const { exporter, at } = await exporterOf(t, PLAIN)
  await at(2)
  exporter.clock.now = new Date(NOW - 5 * HOUR)
  await exporter.update()
  await exporter.update()
  assert.deepEqual(await values(exporter), { p: 24, q: 24 })
  assert.equal(exporter.log().match(/the clock went back: usage stands still/g)?.length, 1)
  await at(3)
  assert.deepEqual(await values(exporter), { p: 26, q: 26 })
  assert.equal(exporter.log().match(/level=warn .*the clock went back/g)?.length, 1)
})

test("a clock that is far ahead counts no hours that have not been, and is logged once", async (t) => {
  const { exporter, at } = await exporterOf(t, PLAIN)
  exporter.clock.now = new Date(NOW + 1000 * HOUR)
  await exporter.update()
  await exporter.update()
  assert.deepEqual(await values(exporter), { p: 20, q: 20 })
  assert.equal(await exporter.value("fedstack_project_usage_clock_lead_seconds"), -3_600_000)
  assert.equal(exporter.log().match(/the cloud's clock is ahead of ours .*seconds=-3600000/g)?.length, 1)
  await at(1)
  assert.deepEqual(await values(exporter), { p: 22, q: 22 })
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 22 * 3600, q: 22 * 3600 })
})

test("retains the usage of archived servers in the new families, and counts their projects", async (t) => {
  const { api, exporter, at } = await exporterOf(t, PLAIN)
  api.state.servers = [server("b", "q")]
  await at(1)
  assert.deepEqual(await values(exporter), { p: 0, q: 22 })
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 20 * 3600, q: 22 * 3600 })
  assert.equal(await exporter.value("openstack_project_usage_retained_projects"), 1)
})

test("other weights begin a new epoch, in which nothing of the old one is retained", async (t) => {
  const weights = (weight: number): string =>
    `[[weights]]\nresource_set_timestamp = 0\nvcpus = [{value = 1, weight = ${weight}}]\nmemory_mb = []\n`
  const file = fileOf(t, weights(3), "weights.toml")
  const { exporter, at } = await exporterOf(t, PLAIN, ["-w", file, "--weight-update-frequency", "1"])
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 216_000, q: 216_000 })
  await at(1)
  assert.equal(await exporter.value("openstack_project_usage_epoch_timestamp_seconds"), NOW / 1000)
  writeFileSync(file, weights(1))
  await at(2)
  assert.equal(await exporter.value("openstack_project_usage_epoch_timestamp_seconds"), (NOW + 2 * HOUR) / 1000)
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 86_400, q: 86_400 })
  assert.equal(await exporter.value("openstack_project_usage_retained_projects"), 0)
})

test("at the start of a month usage begins anew where no start is set", async (t) => {
  const api = fakeCloud(PLAIN)
  const exporter = await startTestExporter(t, [], [api])
  assert.deepEqual(await values(exporter), { p: 20, q: 20 })
  api.state.now = Date.UTC(2026, 3, 1, 1)
  exporter.clock.now = new Date(api.state.now)
  await exporter.update()
  assert.deepEqual(await values(exporter), { p: 2, q: 2 })
  assert.deepEqual(await values(exporter, "openstack_project_vcpu_seconds_total"), { p: 7200, q: 7200 })
  assert.equal(await exporter.value("openstack_project_usage_epoch_timestamp_seconds"), api.state.now / 1000)
})

test("ends at once although a scrape waits for a first update that hangs", async (t) => {
  const hanging: Api = {
    ...fakeCloud(),
    get: (_service, _path, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
  }
  const exporter = await startTestExporter(t, [], [hanging])
  const scrape = exporter.scrape()
  await fetch(`${exporter.url}/-/healthy`) // after which the scrape is there too
  const begin = performance.now()
  await exporter.close()
  assert.ok(performance.now() - begin < TIMEOUTS.close * 1000) // and not by force
  assert.match(await scrape, /^fedstack_exporter_collector_up\{.*\} 0$/m)
})
