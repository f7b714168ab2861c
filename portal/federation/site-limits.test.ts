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

const site = (name: string, limits: string): string =>
  `  - {name: ${name}, url: "https://${name}.example.org", labels: {location: ${name}}, token: {env: TOKEN}${limits}}\n`
const env = { TOKEN: "t0ken" }
const load = (file: string) => loadSites(file, testInputs(env, readText))
const FILE = `sites:
${site("a", "")}${site("b", ", limits: {series: 50}")}${site("c", ", limits: {response_bytes: 1KiB, series: 60}")}limits: {response_bytes: 10MiB, series: 5000}
`

test("a site has limits of its own in place of those of all, and what it leaves out is that of all", async (t) => {
  const { sites, limits } = load(await temporaryFolder(t).write("sites.yaml", FILE))
  const config = prometheusConfig(sites, limits, NO_BASE_CONFIG, OLDEST)
  assert.deepEqual(config.match(/(?:job_name|body_size_limit|sample_limit): .*/g), [
    ...['job_name: "a"', 'body_size_limit: "10485760B"', "sample_limit: 5000"],
    ...['job_name: "b"', 'body_size_limit: "10485760B"', "sample_limit: 50"],
    ...['job_name: "c"', 'body_size_limit: "1024B"', "sample_limit: 60"],
  ])
})

test("check sites shows the limits of a site", async (t) => {
  const printed: string[] = []
  const { signal } = new AbortController()
  const file = await temporaryFolder(t).write("sites.yaml", FILE)
  await checkSites(file, { env, signal, print: (text) => printed.push(text) })
  assert.deepEqual(printed.join("").match(/^ {2}limits .*$/gm), [
    "  limits   up to 50 series a scrape",
    "  limits   up to 1024 bytes and up to 60 series a scrape",
  ])
})

test("reports what cannot be a limit", async (t) => {
  const file = await temporaryFolder(t).write(
    "sites.yaml",
    `sites:\n${site("a", ", limits: {series: 0, bytes: 1, response_bytes: big}")}`,
  )
  assert.throws(
    () => load(file),
    (error) => {
      assert.ok(error instanceof ConfigurationError)
      assert.deepEqual(
        error.faults.map(({ where, message }) => `${where.replace(/^\S+ /, "")}: ${message}`),
        [
          "sites[0].limits.series: must be a whole number above 0",
          "sites[0].limits.bytes: unknown key",
          "sites[0].limits.response_bytes: must be a size such as 256MiB or 1000000",
        ],
      )
      return true
    },
  )
})
