import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { parseDummyFile } from "./dummy-file.ts"

const faultsOf = (text: string): string => {
  try {
    parseDummyFile(text, "cloud.toml")
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  return "no faults"
}

test("reports every fault of a file at once, with its line and key", () => {
  const text = readFileSync(new URL("testdata/faulty-cloud.toml", import.meta.url), "utf8")
  const existence = "must be true, false, a date or a pair of dates [boot, shutdown], as in 2025-01-31T08:00:00"
  assert.equal(
    faultsOf(text),
    [
      "cloud.toml:2 elixir.domain_id: must be a text",
      "cloud.toml:8 elixir.projects[0].machines[0].ram: must be more than 0",
      "cloud.toml:8 elixir.projects[0].machines[0].cpus: must be a number",
      `cloud.toml:8 elixir.projects[0].machines[0].existence: ${existence}`,
      "cloud.toml:8 elixir.projects[0].machines[1].existence: the boot must not be after the shutdown",
      `cloud.toml:8 elixir.projects[0].machines[2].existence: ${existence}`,
      "cloud.toml:8 elixir.projects[0].machines[2].size: unknown key",
      "cloud.toml:21 elixir.projects[2].machines[0].metadata.course: must be a text",
      "cloud.toml:16 elixir.projects[1].project_id: is the id of projects[0] too; it must be another in each project of a domain",
      "cloud.toml:3 elixir.colour: unknown key",
      "cloud.toml:23 elixir.quota: unknown key",
    ].join("\n"),
  )
})

test("reports where TOML is broken", () => {
  assert.match(faultsOf('[elixir]\ndomain_id = "open'), /^cloud\.toml:2:\d+: not valid TOML: /)
  assert.match(
    faultsOf("[elixir]\nprojects = [{machines = [{existence = 2025-13-45}]}]"),
    /^cloud\.toml:2:\d+: not valid TOML: /,
  )
})

test("refuses what is no domain", () => {
  assert.equal(
    faultsOf("elixir = 5"),
    "cloud.toml:1 elixir: must be a table of one domain, with domain_id and projects",
  )
})

test("fills in what is not given", () => {
  assert.deepEqual(parseDummyFile("[a]\n[[a.projects]]\nmachines = [{}]", "cloud.toml"), [
    {
      id: "UNKNOWN_DOMAIN_ID",
      name: "a",
      projects: [
        {
          id: "UNKNOWN_ID",
          name: "UNKNOWN_NAME",
          machines: [{ vcpus: 4, memoryMb: 8192, existence: "since the start", metadata: {} }],
        },
      ],
    },
  ])
})

test("reads every form of existence, in UTC unless an offset is given", () => {
  const machines = [
    "true",
    "false",
    "2025-01-01",
    "2025-01-01T12:00:00",
    "2025-01-01T12:00:00+02:00",
    "[2025-01-01, 2025-01-02]",
  ]
  const text = `[a]\n[[a.projects]]\nmachines = [${machines.map((existence) => `{existence = ${existence}}`).join(", ")}]`
  const day = Date.UTC(2025, 0, 1)
  const hour = 3_600_000
  assert.deepEqual(
    parseDummyFile(text, "cloud.toml")[0]?.projects[0]?.machines.map(({ existence }) => existence),
    [
      "since the start",
      "never",
      [day, Infinity],
      [day + 12 * hour, Infinity],
      [day + 10 * hour, Infinity],
      [day, day + 24 * hour],
    ],
  )
})

for (const site of ["a", "b"]) {
  test(`the fake cloud of site ${site} is one`, () => {
    const text = readFileSync(new URL(`../../../../dev/fixtures/site-${site}.toml`, import.meta.url), "utf8")
    assert.equal(parseDummyFile(text, `site-${site}.toml`).length, 2)
  })
}
