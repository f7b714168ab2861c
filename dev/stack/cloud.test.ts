import assert from "node:assert/strict"
import { test } from "node:test"
import { parse } from "smol-toml"
import { inventCloud, siteName } from "./cloud.ts"

test("names sites after letters, then numbers", () => {
  assert.deepEqual([0, 1, 25, 26, 99].map(siteName), ["site-a", "site-b", "site-z", "site-27", "site-100"])
})

test("invents projects of one to three machines in the domain that the exporter shows by default", () => {
  const machine = (cpus: number, ram: number) => ({ cpus, ram, existence: true })
  const project = (number: number, machines: readonly unknown[]) => ({
    project_name: `site-c-project-${number}`,
    project_id: `site-c-project-${number}`,
    machines,
  })
  assert.deepEqual(structuredClone(parse(inventCloud("site-c"))), {
    elixir: {
      domain_id: "site-c-domain",
      projects: [
        project(1, [machine(2, 4)]),
        project(2, [machine(8, 32), machine(8, 32)]),
        project(3, [machine(28, 64), machine(28, 64), machine(28, 64)]),
      ],
    },
  })
})
