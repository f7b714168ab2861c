import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { test } from "node:test"
import type { Cloud, DomainFilter } from "./cloud.ts"
import { openDummyCloud } from "./dummy-cloud.ts"
import { fileOf } from "./testing.ts"
import type { Server } from "./usage.ts"

const period = { start: new Date("2025-01-10T00:00:00Z"), end: new Date("2025-01-20T00:00:00Z") }
const all: DomainFilter = { id: undefined, names: [] }

/** The projects, and the servers that were added up, by the part of a pool. */
async function read(cloud: Cloud) {
  const servers: Server[] = []
  const parts: (readonly [key: string, part: string | undefined, vcpus: number])[] = []
  const { projects, absent } = await cloud.usage(
    period,
    () => (key, server, part) => {
      servers.push(server)
      parts.push([key, part, server.vcpus])
    },
    new AbortController().signal,
  )
  return { projects, absent, servers, parts }
}
const names = async (cloud: Cloud): Promise<readonly string[]> => (await read(cloud)).projects.map(({ name }) => name)
const { signal } = new AbortController()
const options = { filter: all, pool: undefined, signal }

const domains = `[one]
domain_id = "1"
[[one.projects]]
project_id = "p"
project_name = "of one"
[two]
domain_id = "2"
[[two.projects]]
project_id = "p"
project_name = "of two"
`

test("counts hours within the period for every form of existence", async (t) => {
  const forms = [
    "true",
    "false",
    "2025-01-01T00:00:00", // before the period
    "2025-01-19T00:00:00",
    "2025-02-01T00:00:00", // not yet
    "[2025-01-01T00:00:00, 2025-01-11T00:00:00]",
    "[2025-01-19T00:00:00, 2025-03-01T00:00:00]",
    "[2024-01-01T00:00:00, 2024-02-01T00:00:00]", // over before the period
    "[2025-02-01T00:00:00, 2025-02-02T00:00:00]",
  ]
  const machines = forms.map((existence) => `{existence = ${existence}}`).join(", ")
  const file = fileOf(t, `[a]\n[[a.projects]]\nmachines = [${machines}]\n`)
  const { servers } = await read(await openDummyCloud(file, options))
  assert.deepEqual(
    servers.map(({ hours }) => hours / 24),
    [10, 0, 10, 1, 0, 1, 1, 0, 0],
  )
  assert.deepEqual(
    servers.map(({ startedAt }) => new Date(startedAt * 1000).toISOString().slice(0, 10)),
    [
      "2025-01-10",
      "2025-01-10",
      "2025-01-01",
      "2025-01-19",
      "2025-02-01",
      "2025-01-01",
      "2025-01-19",
      "2024-01-01",
      "2025-02-01",
    ],
  )
})

test("reads the file again for every update", async (t) => {
  const file = fileOf(t, domains)
  const cloud = await openDummyCloud(file, options)
  assert.deepEqual(await names(cloud), ["of one", "of two"])
  writeFileSync(file, domains.replace("of one", "renamed"))
  assert.deepEqual(await names(cloud), ["renamed", "of two"])
  writeFileSync(file, "")
  assert.deepEqual(await names(cloud), [])
})

test("chooses domains by name or id, one id before all names", async (t) => {
  const file = fileOf(t, domains)
  const chosen = async (filter: DomainFilter) => names(await openDummyCloud(file, { ...options, filter }))
  assert.deepEqual(await chosen({ id: undefined, names: ["two"] }), ["of two"])
  assert.deepEqual(await chosen({ id: undefined, names: ["1", "two"] }), ["of one", "of two"])
  assert.deepEqual(await chosen({ id: "1", names: ["two"] }), ["of one"])
})

test("fills both labels of the domain, however it was chosen", async (t) => {
  const file = fileOf(t, domains)
  for (const filter of [
    { id: "2", names: [] },
    { id: undefined, names: ["two"] },
  ]) {
    const { projects } = await read(await openDummyCloud(file, { ...options, filter }))
    assert.deepEqual([projects[0]?.domainId, projects[0]?.domainName], ["2", "two"])
  }
})

test("names domains and a pool that are not there", async (t) => {
  const filter = { id: undefined, names: ["one", "elixir"] }
  const pool = { projectId: "nowhere", tag: "tag" }
  const { absent } = await read(await openDummyCloud(fileOf(t, domains), { filter, pool, signal }))
  assert.deepEqual(Object.fromEntries(absent), {
    "domain elixir": "there is no such domain; there is one (1), two (2). Correct --domain",
    "pool nowhere": "there is no project with this id in the exported domains. Correct --simple-vm-id",
  })
})

test("parses a large file apart, with the same result and the same faults", async (t) => {
  const machine = `{ cpus = 1, ram = 1, existence = [2025-01-11T00:00:00, 2025-01-12T00:00:00], metadata = { tag = "x" } },\n`
  const text = `[a]\n[[a.projects]]\nmachines = [\n${machine.repeat(12_000)}]\n`
  assert.ok(text.length > 1_000_000)
  const { servers } = await read(await openDummyCloud(fileOf(t, text), options))
  assert.equal(servers.length, 12_000)
  assert.deepEqual(servers[11_999], {
    vcpus: 1,
    memoryMb: 1024,
    diskGb: 0,
    hours: 24,
    startedAt: Date.UTC(2025, 0, 11) / 1000,
    endedAt: Date.UTC(2025, 0, 12) / 1000,
  })
  await assert.rejects(openDummyCloud(fileOf(t, `${text}\n[b]\nwrong = 1\n`), options), /:12007 b\.wrong: unknown key$/)
})

test("adds a pool's servers to the parts that their tags name, and leaves out those without", async (t) => {
  const machines = [
    `{cpus = 2, metadata = {tag = "red"}}`,
    `{cpus = 3, metadata = {tag = "blue"}}`,
    `{cpus = 4}`,
    `{cpus = 5, metadata = {tag = "red"}}`,
  ]
  const projects = ["other", "pool"].map(
    (id) => `[[a.projects]]\nproject_id = "${id}"\nmachines = [${machines.join(", ")}]\n`,
  )
  const file = fileOf(t, `[a]\ndomain_id = "1"\n${projects.join("")}`)
  const partsOf = async (tag: string) => {
    const { parts } = await read(await openDummyCloud(file, { ...options, pool: { projectId: "pool", tag } }))
    return parts.filter(([key]) => key === "1/a/pool").map(([, ...rest]) => rest)
  }
  assert.deepEqual(await partsOf("tag"), [
    ["red", 2],
    ["blue", 3],
    ["red", 5],
  ])
  // a tag named like a member of every object is no tag
  assert.deepEqual(await partsOf("constructor"), [])
})
