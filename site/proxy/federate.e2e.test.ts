import assert from "node:assert/strict"
import { createServer } from "node:http"
import { type TestContext, suite, test } from "node:test"
import { gunzipSync } from "node:zlib"
import { request } from "undici"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus, type Version, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { SPELLED_QUERIES } from "../../dev/testing/attacks/spellings.ts"
import { BEARER, METRICS, SHARED, startTestProxy, type TestProxy } from "./testing.ts"

const USAGE = `# TYPE project_vcpu_usage gauge
project_vcpu_usage{project_id="a",project_name="one"} 12.5
project_vcpu_usage{project_id="b",project_name="zwei ü"} 3
# TYPE project_mb_usage gauge
project_mb_usage{project_id="a",project_name="one"} 4096
# TYPE project_secret gauge
project_secret 1
`

/** A real Prometheus that scrapes project usage, the same series under another job, and itself; behind the proxy. */
async function start(t: TestContext, version?: Version): Promise<TestProxy | undefined> {
  const folder = need(t, findPrometheus(version))
  if (folder === undefined) return undefined
  const target = createServer((_, response) => response.setHeader("content-type", METRICS).end(USAGE))
  const port = await listen(t, target)
  const config = await temporaryFolder(t).write(
    "prometheus.yml",
    `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: project_usages
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
  - job_name: other
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`,
  )
  const prometheus = await startPrometheus(folder, config)
  t.after(() => prometheus.stop())
  await until("both jobs to be scraped", async () =>
    (await prometheus.query("project_secret")).length === 2 ? true : undefined,
  )
  return startTestProxy(t, prometheus.url)
}

interface Scrape {
  readonly status: number
  readonly body: string
}

async function scrape({ url }: TestProxy, query: string, headers: Record<string, string> = BEARER): Promise<Scrape> {
  const { statusCode, body } = await request(`${url}/federate?${query}`, { headers })
  return { status: statusCode, body: await body.text() }
}

/** Names and labels, without values and times. */
function series(exposition: string): readonly string[] {
  const lines = exposition.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  return lines.map((line) => line.replace(/ \S+ \d+$/, "").replace(/127\.0\.0\.1:\d+/, "TARGET"))
}

const SERIES = [
  'project_mb_usage{instance="TARGET",job="project_usages",project_id="a",project_name="one"}',
  'project_vcpu_usage{instance="TARGET",job="project_usages",project_id="a",project_name="one"}',
  'project_vcpu_usage{instance="TARGET",job="project_usages",project_id="b",project_name="zwei ü"}',
]

const E = encodeURIComponent
const SPELLINGS = [
  ...SPELLED_QUERIES,
  [
    "letter by letter as the original",
    "match%5B%5D=%7Bjob%3D%22project_usages%22%2C__name__%3D~%22project_.%2A_usage%22%7D",
  ],
  ["with a matcher twice", `match[]=${E('{job="project_usages",__name__=~"project_.*_usage",job="project_usages"}')}`],
] as const

// most of the time they wait
suite("with a real Prometheus", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`shares the agreed series of Prometheus ${version}, and no other`, async (t) => {
      const proxy = await start(t, version)
      if (proxy === undefined) return
      const { status, body } = await scrape(proxy, new URLSearchParams({ "match[]": SHARED }).toString())
      assert.equal(status, 200)
      assert.deepEqual(series(body), SERIES)
    })
  }

  test("gives the same bytes in any spelling of the shared selector", async (t) => {
    const proxy = await start(t)
    if (proxy === undefined) return
    for (const [title, query] of SPELLINGS) {
      // between two equal responses there was no new sample
      await until(`the same bytes ${title}`, async () => {
        const before = await scrape(proxy, `match[]=${E(SHARED)}`)
        const spelled = await scrape(proxy, query)
        const after = await scrape(proxy, `match[]=${E(SHARED)}`)
        assert.equal(spelled.status, 200, `${title}: ${spelled.body}`)
        if (before.body !== after.body) return undefined
        assert.deepEqual(spelled, before)
        return true
      })
    }
  })

  test("refuses series that are not shared, naming what was requested and what is shared", async (t) => {
    const proxy = await start(t)
    if (proxy === undefined) return
    assert.deepEqual(await scrape(proxy, `match[]=${E('{__name__=~".+"}')}`), {
      status: 403,
      body: `The selector {__name__=~".+"} is not shared with portal: it selects __name__="x". Shared: ${SHARED}. Request only what is shared, or have more shared.\n`,
    })
  })

  test("keeps the gzip of Prometheus as it came", async (t) => {
    const proxy = await start(t)
    if (proxy === undefined) return
    const { headers, body } = await request(`${proxy.url}/federate?match[]=${E(SHARED)}`, {
      headers: { ...BEARER, "accept-encoding": "gzip" },
    })
    assert.equal(headers["content-encoding"], "gzip")
    assert.deepEqual(series(gunzipSync(Buffer.from(await body.arrayBuffer())).toString("utf8")), SERIES)
  })
})
