import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import {
  findPrometheus,
  type RunningPrometheus,
  startPrometheus,
  VERSIONS,
} from "../../../../dev/testing/prometheus.ts"
import { type Element, keyOf } from "../../../../dev/testing/remote-write/elements.ts"
import { readAll } from "../../../../dev/testing/remote-write/read-back.ts"
import { until } from "../../../../dev/testing/until.ts"
import { finished, startScene } from "../../remote-write/scene.testing.ts"
import { startTestExposition, TOKEN } from "../testing.ts"

const TENANTS = ["red", "blue"] as const
type Tenant = (typeof TENANTS)[number]
const PATHS = ["/metrics", "/federate"] as const
const TOKENS: Readonly<Record<Tenant, string>> = { red: TOKEN, blue: `other-${TOKEN}` }
/** Of the exporter, which has the same series for each tenant. */
const NAMES = '{__name__=~"test_.+"}'

const FILE = (upstream: string): string => `upstreams: ["${upstream}/prometheus"]
reuse: 0
look_back: 10s
tokens:
  - {name: red, env: TEAM_TOKEN, tenants: [red], match: ['${NAMES}']}
  - {name: blue, env: OTHER_TOKEN, tenants: [blue], match: ['${NAMES}']}
`

/** A Prometheus that scrapes both tenants by both paths, and says of each series by which. */
async function startTenants(t: TestContext, folder: string, target: string): Promise<RunningPrometheus> {
  const jobs = TENANTS.flatMap((tenant) =>
    PATHS.map((path) => ({
      job_name: `${tenant} ${path}`,
      honor_labels: true,
      ...{ scrape_interval: "1s", scrape_timeout: "1s", metrics_path: path },
      ...(path === "/federate" ? { params: { "match[]": [NAMES] } } : {}),
      authorization: { credentials: TOKENS[tenant] },
      static_configs: [{ targets: [target] }],
      metric_relabel_configs: [{ target_label: "via", replacement: `${tenant} ${path}` }],
    })),
  )
  const file = await temporaryFolder(t).write("prometheus.yml", JSON.stringify({ scrape_configs: jobs }))
  const prometheus = await startPrometheus(folder, file)
  t.after(() => prometheus.stop())
  return prometheus
}

test("the Prometheus of each tenant holds what the sites wrote for it, and nothing of another", async (t) => {
  const folders = VERSIONS.map((version) => need(t, findPrometheus(version)))
  if (folders.includes(undefined)) return
  const scene = await startScene(t, ["3.5", 2], {}, { tenants: TENANTS, customBuckets: false })
  if (scene === undefined) return
  const { cortex } = scene.chain
  for (const tenant of TENANTS) {
    // what is not there yet is read again after five seconds
    await until("metadata of the tenant", async () => {
      const found = (await cortex.get(tenant, "metadata", { metric: "test_requests_total" })) as object
      return Object.keys(found).length > 0 ? true : undefined
    })
  }
  const exposition = await startTestExposition(t, FILE(cortex.url))
  const target = `127.0.0.1:${exposition.port}`
  const all: RunningPrometheus[] = []
  for (const folder of folders) if (folder !== undefined) all.push(await startTenants(t, folder, target))
  const everywhere = async (what: string, expression: string, count: number): Promise<void> => {
    for (const prometheus of all)
      await until(what, async () => ((await prometheus.query(expression)).length === count ? true : undefined))
  }
  const slices = TENANTS.length * PATHS.length
  await everywhere("a gauge of each tenant by each path", 'test_gauge{number="1"}', slices)

  for (const prometheus of all) {
    const { data } = (await (await fetch(`${prometheus.url}/api/v1/metadata`)).json()) as {
      data: Readonly<Record<string, readonly unknown[]>>
    }
    // a family of OpenMetrics, which every version prefers, is called without the suffix
    assert.deepEqual(data.test_requests, [{ type: "counter", help: "Counts rounds.", unit: "" }])
  }

  await cortex.stop()
  await everywhere("scrapes to fail", 'up{job=~".* /.*"} == 0', slices)
  await cortex.start()
  await everywhere("scrapes to succeed again", 'up{job=~".* /.*"} == 1', slices)
  await everywhere("the gauges again", 'test_gauge{number="1"}', slices)

  await finished(scene, "acknowledged")
  // within the look-back
  await everywhere("every series to end", NAMES, 0)

  for (const prometheus of all) {
    const held = await readAll(prometheus.url)
    for (const tenant of TENANTS) {
      const written = valuesOf(await readAll(`${cortex.url}/prometheus`, tenant))
      for (const path of PATHS) {
        const own = valuesOf(held.filter(({ labels }) => labels.via === `${tenant} ${path}`))
        assert.deepEqual([...own.difference(written)], [], `${tenant} ${path}`)
        assert.deepEqual(seriesOf(own), seriesOf(written), `${tenant} ${path}`)
        assert.ok(own.size > seriesOf(own).length, "more than one scrape of each")
      }
    }
    // all or nothing; of the series that vanishes each second time, one more or less
    const sizes = held.filter(
      ({ labels: { __name__: name, job } }) => name === "scrape_samples_scraped" && job !== "test",
    )
    const seen = new Set(sizes.map(({ value }) => value))
    t.diagnostic(JSON.stringify([...seen]))
    assert.ok(seen.size <= 3, [...seen].join(" "))
  }
})

/** Samples of series that Prometheus itself does not make, without their times, and without markers of an end. */
function valuesOf(elements: readonly Element[]): ReadonlySet<string> {
  const own = elements.filter(
    ({ kind, labels: { __name__: name = "" } }) => kind === "sample" && name.startsWith("test_"),
  )
  const values = own.map((element) => {
    const labels = Object.fromEntries(Object.entries(element.labels).filter(([name]) => name !== "via"))
    return keyOf({ ...element, labels, timestamp: 0 })
  })
  return new Set(values.filter((value) => !value.includes(STALE)))
}

/** The bits of the value that marks the end of a series. */
const STALE = String(0x7ff0000000000002n)

/** Without that which no scrape needs to have seen, as it is gone each second time. */
const seriesOf = (values: ReadonlySet<string>): readonly string[] =>
  [...new Set([...values].map((value) => value.slice(0, value.indexOf("}"))))]
    .filter((series) => !series.includes("test_vanishing"))
    .toSorted()
