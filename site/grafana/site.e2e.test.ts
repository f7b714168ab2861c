import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { Agent, request } from "undici"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { type Child, start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus, type Version, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { emptyOf, missingOfAny } from "../../dev/testing/grafana/queries.ts"
import { readDashboard, shippedQueries } from "../../dev/testing/grafana/dashboard.ts"
import { shippedRules } from "../prometheus/testing.ts"
import { NEEDS_OPENSTACK } from "./project-usage.testing.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { BEARER, QUERY, sendSample, startUpstream, TOKEN } from "../proxy/testing.ts"

const ROOT = join(import.meta.dirname, "../..")
const FEDSTACK = join(ROOT, "bin/fedstack")
const FAILING = "project_failing_usage"
const LOCAL = "127.0.0.1:0"
/** What an invented cloud does not have; cloud.e2e.test.ts of the exporter covers it. */
const OF_OPENSTACK = /fedstack_project_usage_(?:clock_lead_seconds|untagged_servers)/
/** Labels of several clouds. */
const OF_CLOUDS = /: (?:cloud|region)$/

for (const version of VERSIONS) {
  test(`all that rules and dashboard ask of Prometheus ${version} is there`, { timeout: 120_000 }, async (t) => {
    const site = await startSite(t, version)
    if (site === undefined) return
    const { ask, prometheus } = site
    const dashboards = ["site", "project-usage"].map((name) =>
      readDashboard(join(import.meta.dirname, `dashboards/${name}.json`)),
    )
    const queries = (await Promise.all(dashboards)).flatMap(shippedQueries)

    await t.test("every query of the dashboard shows something", async () => {
      await until("all panels to show something", async () => {
        await ask()
        const empty = await emptyOf(queries, prometheus.url)
        assert.deepEqual(
          empty.filter((where) => !NEEDS_OPENSTACK.test(where)),
          [],
        )
        return true
      })
    })

    await t.test("metrics and labels that rules and queries name exist", async () => {
      const missing = await missingOfAny([...(await shippedRules()), ...queries], prometheus.url)
      assert.deepEqual(
        missing.filter((what) => ![OF_OPENSTACK, NEEDS_OPENSTACK, OF_CLOUDS].some((pattern) => pattern.test(what))),
        [],
      )
    })

    await t.test("the rules are in force: a token that ends in three days without another has its alert", async () => {
      const [alert, ...more] = await until("the alert", async () => {
        const found = await prometheus.query('ALERTS{alertname="ProxyTokenExpiresSoon"}')
        return found.length > 0 ? found : undefined
      })
      assert.deepEqual(more, [])
      const { instance: _, ...labels } = alert?.metric ?? {}
      assert.deepEqual(labels, {
        __name__: "ALERTS",
        alertname: "ProxyTokenExpiresSoon",
        alertstate: "firing",
        client: "portal",
        job: "proxy",
        severity: "warning",
      })
    })
  })
}

/** Exporter, proxy and the shipped configuration of Prometheus, each second; behind the proxy a stand-in. */
async function startSite(t: TestContext, version: Version) {
  const folder = need(t, findPrometheus(version))
  if (folder === undefined) return undefined
  const files = temporaryFolder(t)
  const upstream = await startUpstream(t, (asked, response) =>
    asked.url?.includes(FAILING) === true ? response.writeHead(500).end() : sendSample(asked, response),
  )
  const notAfter = new Date(Date.now() + 3 * 86_400_000).toISOString()
  const hashOf = (token: string): string => sha256(token).toString("hex")
  // nobody listens at the first upstream; the second client is in the middle of a rotation
  const policy = await files.write(
    "policy.yaml",
    `upstreams: ["http://127.0.0.1:1", "${upstream.url}"]
tokens:
  - name: portal
    env: PORTAL_TOKEN
    not_after: ${notAfter}
    match: ['{job="project_usages",__name__=~"project_.*_usage"}']
  - name: rotating
    secrets:
      - {sha256: ${hashOf("the old one")}, not_after: ${notAfter}}
      - {sha256: ${hashOf("the new one")}}
    match: ['up{job="project_usages"}']
`,
  )
  const authority = makeAuthority("authority")
  const { cert, key } = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
  await files.write("site.crt", cert)
  await files.write("site.key", key)
  const web = await files.write("web.yml", "tls_server_config: {cert_file: site.crt, key_file: site.key}\n")
  const proxy = run(t, ["proxy", `--policy=${policy}`, `--web.config.file=${web}`, `--admin.listen-address=${LOCAL}`], {
    PORTAL_TOKEN: TOKEN,
  })
  const weights = join(ROOT, "dev/fixtures/weights.toml")
  const cloud = join(ROOT, "dev/fixtures/site-a.toml")
  const exporter = run(t, [
    "exporter",
    "project-usage",
    `--dummy-data=${cloud}`,
    `--dummy-weights=${weights}`,
    `--state-file=${join(files.path, "usage.json")}`,
  ])
  // the proxy's admin address comes first
  const [admin, address] = await addressesOf(proxy, 2)
  const [usage] = await addressesOf(exporter, 1)

  const shipped = await readFile(join(ROOT, "site/prometheus/prometheus.yml"), "utf8")
  const targets = { "exporter:8080": usage, "proxy:8001": admin, "rules/*": join(ROOT, "site/prometheus/rules/*") }
  const config = Object.entries(targets).reduce(
    (text, [from, to]) => text.replace(from, String(to)),
    shipped.replaceAll(/_(interval|timeout): \d+s/g, "_$1: 1s"),
  )
  const prometheus = await startPrometheus(folder, await files.write("prometheus.yml", config))
  t.after(() => prometheus.stop())
  const agent = new Agent({ connect: { ca: authority.cert } })
  t.after(() => agent.close())
  const url = `https://${address}/federate`
  return {
    prometheus,
    /** One request that is answered, one that fails upstream, one that is refused, and one of a stranger. */
    ask: async (): Promise<void> => {
      for (const [query, headers] of [
        [QUERY, BEARER],
        [`match[]=${FAILING}{job="project_usages"}`, BEARER],
        ["match[]=up", BEARER],
        [QUERY, {}],
      ] as const) {
        await (await request(`${url}?${query}`, { dispatcher: agent, headers })).body.dump()
      }
    },
  }
}

function run(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = start(FEDSTACK, [...args, `--web.listen-address=${LOCAL}`], env)
  t.after(() => child.stop())
  return child
}

function addressesOf(child: Child, count: number): Promise<readonly string[]> {
  return until(`${count} addresses`, () => {
    if (child.process.exitCode !== null) throw new Error(child.output())
    const found = [...child.output().matchAll(/msg=listening addresses=\S*?(127\.0\.0\.1:\d+)/g)]
    return found.length >= count ? found.map(([, address = ""]) => address) : undefined
  })
}
