import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { exporterOf, HOUR, NOW, project, server, values } from "../accounts/testing.ts"

const tagged = (project_name: string) => ({ metadata: { project_name } })
const POOL = {
  projects: [project("pool"), project("other")],
  servers: [
    server("a", "pool", tagged("red")),
    server("b", "pool", tagged("blue")),
    server("c", "pool", tagged("red")),
    server("d", "pool"),
    server("e", "other", tagged("red")),
  ],
}
const ARGS = ["--simple-vm-id", "pool"]

test("splits the pool by the tags of its servers, in the order of usage, and counts those without", async (t) => {
  const { api, exporter } = await exporterOf(t, { ...POOL, maxLimit: 2 }, ARGS)
  assert.deepEqual(Object.entries(await values(exporter)), [
    ["red", 40],
    ["blue", 20],
    ["other", 20],
  ])
  assert.equal(await exporter.value("fedstack_project_usage_untagged_servers"), 1)
  assert.deepEqual(api.requests.find(({ path }) => path === "/servers/detail")?.query, {
    all_tenants: "True",
    project_id: "pool",
    limit: "1000",
  })
})

test("counts servers without a tag in the whole period, whatever months are listed beside it", async (t) => {
  const { exporter } = await exporterOf(t, POOL, [...ARGS, "--usage-months", "2"])
  assert.equal(await exporter.value("fedstack_project_usage_untagged_servers"), 1)
})

test("counts servers without a tag once where the list of usage begins anew", async (t) => {
  const { api, exporter, at } = await exporterOf(t, { ...POOL, maxLimit: 4 }, ARGS)
  api.intercept = ({ path, query }) => {
    // the server that the first page ends with
    if (path === "/os-simple-tenant-usage" && query.marker === "b")
      api.state.servers = api.state.servers.filter(({ id }) => id !== "b")
  }
  api.state.servers = [...POOL.servers, server("0", "pool")]
  await at(0)
  assert.equal(await exporter.value("fedstack_project_usage_untagged_servers"), 2)
})

test("keeps the usage of pool servers that are deleted, over a restart too", async (t) => {
  const stateFile = join(temporaryFolder(t).path, "state.json")
  const tested = await exporterOf(t, POOL, [...ARGS, "--state-file", stateFile])
  tested.api.state.servers = POOL.servers.map((one) => (one.id === "c" ? { ...one, endedAt: NOW + HOUR } : one))
  await tested.at(2)
  assert.deepEqual(await values(tested.exporter), { red: 24 + 22, blue: 24, other: 24 })
  await tested.restart()
  assert.deepEqual(await values(tested.exporter), { red: 24 + 22, blue: 24, other: 24 })
  await tested.at(24 * 30)
  assert.deepEqual((await values(tested.exporter)).red, 20 + 24 * 60 + 22)
})

test("without a state file a restart loses them, and that is warned of", async (t) => {
  const tested = await exporterOf(t, POOL, ARGS)
  assert.match(tested.exporter.log(), /level=warn .*no --state-file: .*the usage of pool servers that are deleted/)
  tested.api.state.servers = POOL.servers.map((one) => (one.id === "c" ? { ...one, endedAt: NOW + HOUR } : one))
  await tested.restart()
  await tested.at(2)
  assert.deepEqual((await values(tested.exporter)).red, 24)
})

test("a server of the pool that lives and lost its tag has none", async (t) => {
  const { api, exporter, at } = await exporterOf(t, POOL, ARGS)
  api.state.servers = POOL.servers.map((one) => (one.id === "c" ? server("c", "pool") : one))
  await at(0)
  assert.deepEqual(await values(exporter), { red: 20, blue: 20, other: 20 })
})
