import assert from "node:assert/strict"
import { test } from "node:test"
import type { Project } from "./cloud.ts"
import { splitPool } from "./simple-vm.ts"
import { UsageSums } from "./usage.ts"

const server = { vcpus: 1, memoryMb: 1024, diskGb: 0, hours: 1, startedAt: 0, endedAt: Infinity }
const quota = { servers: 1, vcpus: 1, memoryMb: 1 }
const project = (id: string): Project => ({
  key: `key of ${id}`,
  id,
  name: `name of ${id}`,
  domainId: "d",
  domainName: "domain",
  properties: {},
  quota,
})
const cloud = [project("other"), project("pool")]

function sums(): UsageSums {
  const all = new UsageSums([], { start: 0, end: 0, freshSince: () => 0 })
  for (const part of ["red", "blue", "red"]) all.add("key of pool", server, part)
  all.add("key of other", server)
  return all
}

test("replaces the pool by its parts, which have no quota", () => {
  assert.deepEqual(splitPool(cloud, { projectId: "pool", tag: "tag" }, sums()), [
    cloud[0],
    { ...cloud[1], key: "key of pool/red", name: "red", quota: undefined },
    { ...cloud[1], key: "key of pool/blue", name: "blue", quota: undefined },
  ])
})

test("a pool without parts is left out", () => {
  assert.deepEqual(splitPool(cloud, { projectId: "other", tag: "tag" }, sums()), [cloud[1]])
})

test("changes nothing where there is no pool", () => {
  assert.deepEqual(splitPool(cloud, undefined, sums()), cloud)
  assert.deepEqual(splitPool(cloud, { projectId: "elsewhere", tag: "tag" }, sums()), cloud)
})
