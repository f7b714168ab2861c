import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { VERSIONS } from "../../dev/testing/prometheus.ts"
import { CAUSES } from "../diagnosis/causes/index.ts"

/**
 * Prometheus cancels scrapes only while it stops, and does not respond with its list of targets then: a scrape that is under way
 * when a job changes is waited for. Its texts are held in read-error.test.ts.
 */
const NOT_PRODUCED = ["scrape_cancelled"]

test("every cause is produced by a test with a real Prometheus, and compared whole in the API", () => {
  const files = [...VERSIONS.map((version) => `causes-${version}.txt`), "portal-causes.txt"]
  const shown = files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, "testdata", file), "utf8")
    return [...text.matchAll(/^\S+: \w+, (\w+)(?:;|$)/gm)].map(([, cause]) => cause ?? "")
  })
  const pushing = readFileSync(join(import.meta.dirname, "pushing.e2e.test.ts"), "utf8")
  shown.push(...[...pushing.matchAll(/await shows\([^)]*\)/g)].flatMap(([call]) => call.match(/push_\w+/g) ?? []))
  const missing = Object.keys(CAUSES).filter((cause) => !shown.includes(cause))
  assert.deepEqual(missing.toSorted(), NOT_PRODUCED)
})
