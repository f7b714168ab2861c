import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { readText } from "#core/files/read-text.ts"
import { loadPlan } from "./load.ts"
import { testInputs } from "./testing.ts"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

/** Its jobs are 1.6 kB each, in the configuration for one version. */
const BYTES_OF_SITE = 5_000

test("what is kept of 1,000 sites does not hold their parsed file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-memory-"))
  t.after(() => rm(folder, { recursive: true }))
  const sitesFile = join(folder, "sites.yaml")
  await writeFile(join(folder, "token"), "token\n")
  const load = async (count: number) => {
    const entry = (_: unknown, index: number): string =>
      `  - {name: site-${index}, url: "https://site-${index}.example.org", labels: {location: city-${index}}, token: {file: token}}\n`
    await writeFile(sitesFile, `sites:\n${Array.from({ length: count }, entry).join("")}`)
    const shard = { name: "prometheus", url: new URL("http://prometheus:9090"), folder: "/nowhere", named: false }
    const settings = { sitesFile, baseConfig: undefined, prometheusVersion: undefined }
    const plan = await loadPlan(settings, [shard], testInputs({}, readText))
    return { ...plan, ...plan.of() }
  }
  await load(10)
  const before = used()
  const plan = await load(1000)
  const kept = used() - before
  assert.equal(plan.sites.length, 1000)
  assert.ok(kept < 1000 * BYTES_OF_SITE, `${kept} bytes`)
})

/** What is in use, without garbage. */
function used(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
