import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, suite, test } from "node:test"
import { parse, stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { bodyOf, HEADERS } from "../../dev/testing/remote-write/write.ts"
import { until } from "../../dev/testing/until.ts"
import type { Shipped } from "../../site/prometheus/testing.ts"
import { startTestProxy, startUpstream, status } from "../tenancy/remote-write/testing.ts"

const RULES = join(import.meta.dirname, "../prometheus/rules/tenancy.yml")
/** What there is with TLS, with Kubernetes and with a portal; and the label that what a site shares has. */
const ELSEWHERE =
  /^TenancyCertificateExpiresSoon: |: (?:fedstack_tenancy_proxy_(?:faulty_rules|allow_list_last)|fedstack_portal_|site:paused|site$)|\{site\}$/

async function rules(): Promise<readonly Shipped[]> {
  const { groups } = parse(await readFile(RULES, "utf8")) as { groups: { rules: { alert: string; expr: string }[] }[] }
  return groups
    .flatMap((group) => group.rules)
    .map(({ alert, expr }) => ({ where: alert, expression: expr, shown: [] }))
}

const TOKEN = "token-of-a-sender-7f2e"

/** A proxy with a tenant whose upstream fails, one whose upstream hangs, and what a sender may not write. */
async function startProxy(t: TestContext) {
  const upstream = await startUpstream(t)
  upstream.respond.set("down", status(500, "broken"))
  upstream.respond.set("hangs", () => undefined)
  const { write } = temporaryFolder(t)
  const sender = { name: "central", token: { env: "TOKEN" }, match: ['{job="x"}'] }
  const senders = await write("senders.yaml", stringify({ senders: [sender] }))
  const allowed = await write("tenants.yaml", stringify({ tenants: ["ok", "down", "hangs"] }))
  const args = ["--ingester-upstream-url", upstream.url, "--senders", senders, "--allow-list-file", allowed]
  const proxy = await startTestProxy(t, [...args, "--upstream.parallel-per-tenant=1"], { env: { TOKEN } })
  const send = (job: string, tenant: string) => {
    const labels = { __name__: "up", job, tenant_id: tenant }
    const body = bodyOf([{ labels, value: 1, timestamp: Date.now() }])
    return proxy.send({ headers: { ...HEADERS[1], authorization: `Bearer ${TOKEN}` }, body })
  }
  return { proxy, send }
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(
      `Prometheus ${version} has all that the tenancy dashboard and its alerts use`,
      { timeout: 120_000 },
      async (t) => {
        const folder = need(t, findPrometheus(version))
        if (folder === undefined) return
        const { proxy, send } = await startProxy(t)
        const config = {
          global: { scrape_interval: "1s", evaluation_interval: "1s" },
          rule_files: [RULES],
          scrape_configs: [{ job_name: "tenancy-proxy", static_configs: [{ targets: [new URL(proxy.url).host] }] }],
        }
        const file = await temporaryFolder(t).write("prometheus.yml", stringify(config))
        const prometheus = await startPrometheus(folder, file)
        t.after(() => prometheus.stop())
        const queries = shippedQueries(await readDashboard(join(import.meta.dirname, "dashboards/tenancy.json")))
        const hanging: Promise<unknown>[] = []
        t.after(() => Promise.allSettled(hanging))
        await until("all panels to show something", async () => {
          // one is under way, and the others wait for it
          hanging.push(send("x", "hangs"))
          await Promise.all([send("x", "ok"), send("x", "down"), send("y", "ok")])
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
})
