import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { readText } from "#core/files/read-text.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { FAULTS, VARIANTS } from "../../dev/testing/faults/index.ts"
import { enterNamespace } from "../../dev/testing/faults/namespace.ts"
import * as silent from "../../dev/testing/faults/silent.ts"
import { startFaultySites } from "../../dev/testing/faults/stack.ts"
import { loadSites } from "../federation/sites.ts"
import { testInputs } from "../federation/testing.ts"
import { steady } from "./faulty-portal.testing.ts"
import type { ProbeReport } from "./probe-report.ts"
import { probe } from "./probe/probe.ts"

const place = await enterNamespace(import.meta.filename)
const inNamespace = "value" in place

const MARKS = { passed: "✓", failed: "✕", not_reached: "·", skipped: "–" } as const

const shown = ({ site, stages, findings }: ProbeReport): string =>
  [
    `${site}: ${findings.map(({ cause }) => cause.id).join(", ") || "nothing found"}`,
    `  ${stages.map(({ stage, outcome }) => `${stage} ${MARKS[outcome]}`).join(" ")}`,
    ...findings.flatMap(({ reason, todo }) => [`  ${reason}`, `  ${todo}`]),
  ]
    .map(steady)
    .join("\n")

/** Of testdata, by name of the site. */
function golden(): ReadonlyMap<string, string> {
  const text = readFileSync(join(import.meta.dirname, "testdata/probes.txt"), "utf8")
  return new Map(
    text
      .trimEnd()
      .split(/\n(?! )/)
      .map((block) => [block.split(": ", 1)[0] ?? "", block]),
  )
}

test("the probe sees of each fault what it can, and where", async (t) => {
  const others = { [silent.OTHER]: { start: silent.healthy } }
  const faults = Object.fromEntries(
    Object.entries({ ...FAULTS, ...VARIANTS, ...others }).filter(
      ([, fault]) => inNamespace || !("needsNamespace" in fault),
    ),
  )
  const started = await startFaultySites(faults)
  t.after(() => started.close())
  const folder = temporaryFolder(t)
  for (const [name, text] of Object.entries(started.files)) await folder.write(name, text)
  const { sites, files, limits } = loadSites(join(folder.path, "sites.yaml"), testInputs({}, readText))
  const contents = new Map(files.map(({ path, content }) => [path, content]))
  const limited = limitConcurrency(8)
  const reports = await Promise.all(
    sites.map((site) => limited(() => probe({ site, contents, limits, others: sites }, { signal: t.signal }))),
  )
  const expected = golden()
  assert.deepEqual(
    reports.map(shown),
    sites.map(({ name }) => expected.get(name) ?? `${name} is not in the file`),
  )
})
if (!inNamespace) test("faults of the network", (t) => void need(t, place))
