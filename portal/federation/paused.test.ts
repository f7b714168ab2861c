import assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { NO_BASE_CONFIG } from "./base-config.ts"
import { checkSites } from "./check.ts"
import { prometheusConfig } from "./prometheus-config.ts"
import { loadSites } from "./sites.ts"
import { testInputs } from "./testing.ts"
import { OLDEST } from "./version.ts"

const site = (name: string, paused: string): string =>
  `  - {name: ${name}, url: "https://${name}.example.org", labels: {location: ${name}}, token: {env: TOKEN}, paused: ${paused}}\n`
const env = { TOKEN: "t0ken" }
const load = (file: string) => loadSites(file, testInputs(env, readText))

test("writes no job for a paused site", async (t) => {
  const folder = temporaryFolder(t)
  const text = `sites:\n${site("a", "true")}${site("b", "false")}${site("c", "{by: Ada, at: 2026-11-30T14:00:00Z, why: it moves}")}`
  const { sites, limits } = load(await folder.write("sites.yaml", text))
  const config = prometheusConfig(sites, limits, NO_BASE_CONFIG, OLDEST)
  assert.deepEqual(config.match(/job_name: .*/g), ['job_name: "b"'])
  assert.deepEqual(
    sites.map(({ paused }) => paused),
    [{}, undefined, { by: "Ada", at: new Date("2026-11-30T14:00:00Z"), why: "it moves" }],
  )
})

test("reports what cannot be a pause", async (t) => {
  const folder = temporaryFolder(t)
  const wrong = ["1", "{at: tomorrow}", '{why: "a\\u0007b"}', "{until: 2027}"]
  for (const [index, expected] of [
    "sites[0].paused: must be true, or a map of by, at and why",
    "sites[0].paused.at: must be a day or time such as 2026-11-30T14:00:00Z",
    "sites[0].paused.why: must be one line without control characters",
    "sites[0].paused.until: unknown key",
  ].entries()) {
    const file = await folder.write("sites.yaml", `sites:\n${site("a", wrong[index] ?? "")}`)
    assert.throws(
      () => load(file),
      (error) => error instanceof ConfigurationError && error.message.replace(/^\S+ /, "") === expected,
      expected,
    )
  }
})

test("check sites shows a pause, and does not request the site", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sites.yaml", `sites:\n${site("a", "{by: Ada, at: 2026-11-30, why: it moves}")}`)
  const printed: string[] = []
  const { signal } = new AbortController()
  await checkSites(file, { env, signal, print: (text) => printed.push(text) }, true)
  assert.match(printed.join(""), /\n {2}paused {3}not scraped: since 2026-11-30T00:00Z, by Ada, it moves\n/)
  assert.doesNotMatch(printed.join(""), /fails|delivers/)
})
