import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { FAULTS, VARIANTS } from "../../dev/testing/faults/index.ts"
import { enterNamespace } from "../../dev/testing/faults/namespace.ts"
import * as silent from "../../dev/testing/faults/silent.ts"
import { siteName } from "../../dev/testing/faults/stack.ts"
import { VERSIONS } from "../../dev/testing/prometheus.ts"
import { becomes, producible, startFaultyPortal, steady } from "../diagnosis/faulty-portal.testing.ts"

const place = await enterNamespace(import.meta.filename)
const inNamespace = "value" in place

/** A site of GET /api/v1/sites. */
interface Row {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly url: string
  readonly state: string
  readonly cause: string | null
  readonly reason: string | null
  readonly todo: string | null
  readonly since: string
  readonly last_delivery: string | null
  readonly series: number | null
  readonly series_day_ago: number | null
  readonly duration_seconds: number | null
  readonly shard: string
}

/** What the page and the API show of a site, for people to read in testdata. */
const shown = ({ name, state, cause, reason, todo, last_delivery, series, duration_seconds }: Row): string =>
  [
    `${name}: ${state}${cause === null ? "" : `, ${cause}`}; ${last_delivery === null ? "never delivered" : "delivered"}, series ${series}${duration_seconds === null ? ", never timed" : ""}`,
    ...(reason === null ? [] : [`  ${reason}`]),
    ...(todo === null ? [] : [`  ${todo}`]),
  ]
    .map(steady)
    .join("\n")

/** What the causes do not change. */
const rest = ({ name, labels, url, shard, since }: Row, begin: number) => ({
  name,
  labels,
  url,
  shard,
  isSinceTheBegin: Date.parse(since) >= begin && Date.parse(since) <= Date.now(),
})

/** Blocks of testdata, by name of the site. */
function golden(version: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(import.meta.dirname, `testdata/causes-${version}.txt`), "utf8")
  return new Map(
    text
      .trimEnd()
      .split(/\n(?! )/)
      .map((block) => [block.split(": ", 1)[0] ?? "", block]),
  )
}

async function rowsOf(url: string): Promise<readonly Row[]> {
  const response = await fetch(`${url}/api/v1/sites`)
  return ((await response.json()) as { sites: Row[] }).sites
}

for (const version of VERSIONS) {
  test(`the portal shows the cause of each fault, what is wrong and what to do, with Prometheus ${version}`, async (t) => {
    const healthy = { [silent.OTHER]: { start: silent.healthy } }
    const faults = producible({ ...FAULTS, ...VARIANTS, ...healthy }, version, inNamespace)
    const begin = Date.now()
    const running = await startFaultyPortal(t, version, faults)
    if (running === undefined) return
    const expected = golden(version)
    const names = Object.keys(faults).map(siteName)
    const lines = async (): Promise<readonly string[]> => {
      const rows = await rowsOf(running.portal.url)
      return rows.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)).map(shown)
    }
    await becomes(
      names.map((name) => expected.get(name) ?? `${name} is not in the file`),
      lines,
      120,
    )
    const rows = await rowsOf(running.portal.url)
    assert.deepEqual(
      rows.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)).map((row) => rest(row, begin)),
      [...running.started.sites].map(([name, { entry }]) => ({
        name,
        labels: { location: name },
        url: entry.url,
        shard: running.shard,
        isSinceTheBegin: true,
      })),
    )
  })
}
if (!inNamespace) test("faults of the network", (t) => void need(t, place))
