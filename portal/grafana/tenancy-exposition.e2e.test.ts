import assert from "node:assert/strict"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { request } from "undici"
import { parse, stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import type { Shipped } from "../../site/prometheus/testing.ts"
import { type Respond, seriesOfAll, startFakeStore } from "../tenancy/exposition/store.testing.ts"
import { fileOf, startTestExposition, TOKEN } from "../tenancy/exposition/testing.ts"

const RULES = join(import.meta.dirname, "../prometheus/rules/tenancy-exposition.yml")
/** What there is with TLS; and the label that what a site shares has. */
const ELSEWHERE = /^TenancyExpositionCertificateExpiresSoon: |\{site\}$/

async function rules(): Promise<readonly Shipped[]> {
  const { groups } = parse(await readFile(RULES, "utf8")) as { groups: { rules: { alert: string; expr: string }[] }[] }
  return groups
    .flatMap((group) => group.rules)
    .map(({ alert, expr }) => ({ where: alert, expression: expr, shown: [] }))
}

const series = seriesOfAll(() => [{ labels: { __name__: "up", job: "node" }, samples: [[Date.now(), 1]] }])

/** Before a store that limits what reads `limited`, fails for `broken`, and does not respond for `hangs`. */
async function startExposition(t: TestContext) {
  const left = new Set<AbortController>()
  const respond: Respond = (received, response, of) => {
    const names = received.queries.flatMap(({ matchers }) => matchers.map(({ value }) => value))
    if (names.includes("hangs")) for (const client of left) client.abort()
    else if (names.includes("limited")) response.writeHead(422).end("the query hit the limit of 10 series")
    else if (names.includes("broken")) response.writeHead(500).end()
    else series(received, response, of)
  }
  const store = await startFakeStore(t, respond)
  const exposition = await startTestExposition(t, fileOf([store.url], "limits: {requests_per_second: 10000}\n"))
  const leave = async (): Promise<void> => {
    const client = new AbortController()
    left.add(client)
    const headers = { authorization: `Bearer ${TOKEN}` }
    await assert.rejects(request(`${exposition.url}/federate?match[]=hangs`, { headers, signal: client.signal }))
    left.delete(client)
  }
  const malformed = async (): Promise<void> => {
    const socket = connect(exposition.port, "127.0.0.1", () => socket.end("no request\r\n\r\n")).resume()
    await once(socket, "close")
  }
  const scrapeAll = async (): Promise<void> => {
    const paths = ["/metrics", "/federate?match[]=limited", "/federate?match[]=broken"]
    const served = await Promise.all(paths.map((path) => exposition.get(path)))
    assert.deepEqual(
      served.map(({ status }) => status),
      [200, 422, 502],
    )
    const { status } = await exposition.get("/metrics", { authorization: "Bearer wrong" })
    assert.ok(status === 401 || status === 429, "who fails often is throttled")
    await Promise.all([leave(), malformed()])
  }
  return { scrapeAll, target: new URL(exposition.adminUrl).host }
}

for (const version of ["2.42", "3.5"] as const) {
  test(
    `Prometheus ${version} has all that the dashboard of the tenancy exposition and its alerts use`,
    { timeout: 120_000 },
    async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const { scrapeAll, target } = await startExposition(t)
      const config = {
        global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
        rule_files: [RULES],
        scrape_configs: [{ job_name: "tenancy-exposition", static_configs: [{ targets: [target] }] }],
      }
      const file = await temporaryFolder(t).write("prometheus.yml", stringify(config))
      const prometheus = await startPrometheus(folder, file)
      t.after(() => prometheus.stop())
      const queries = shippedQueries(
        await readDashboard(join(import.meta.dirname, "dashboards/tenancy-exposition.json")),
      )
      await until("all panels to show something", async () => {
        await scrapeAll()
        assert.deepEqual(await emptyOf(queries, prometheus.url), [])
        return true
      })
      const missing = await missingOfAny([...queries, ...(await rules())], prometheus.url)
      assert.deepEqual(
        missing.filter((what) => !ELSEWHERE.test(what)),
        [],
      )
    },
  )
}
