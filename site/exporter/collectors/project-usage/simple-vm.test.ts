import assert from "node:assert/strict"
import { test } from "node:test"
import type { Project, Server } from "./cloud.ts"
import { splitPool } from "./simple-vm.ts"

const server = (vcpus: number, metadata: Record<string, string> = {}): Server => ({
  vcpus,
  memoryMb: 1024,
  diskGb: 0,
  hours: 1,
  startedAt: 0,
  endedAt: Infinity,
  metadata,
})
const project = (id: string, servers: readonly Server[]): Project => ({
  key: id,
  id,
  name: `name of ${id}`,
  domainId: "d",
  domainName: "domain",
  servers,
  properties: {},
})
const shown = (projects: readonly Project[]) =>
  projects.map(({ id, name, servers }) => [id, name, servers.map(({ vcpus }) => vcpus)])

const cloud = [
  project("other", [server(1, { tag: "blue" })]),
  project("pool", [server(2, { tag: "red" }), server(3, { tag: "blue" }), server(4), server(5, { tag: "red" })]),
]

test("replaces the pool by one project per value of the tag, without untagged servers", () => {
  assert.deepEqual(shown(splitPool(cloud, { projectId: "pool", tag: "tag" })), [
    ["other", "name of other", [1]],
    ["pool", "red", [2, 5]],
    ["pool", "blue", [3]],
  ])
})

test("changes nothing where there is no pool", () => {
  assert.deepEqual(splitPool(cloud, undefined), cloud)
  assert.deepEqual(shown(splitPool(cloud, { projectId: "elsewhere", tag: "tag" })), shown(cloud))
})

test("a tag named like a member of every object is no tag", () => {
  assert.deepEqual(splitPool([project("pool", [server(1)])], { projectId: "pool", tag: "constructor" }), [])
})
