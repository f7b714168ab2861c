import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { findHaproxy } from "../../dev/testing/haproxy.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { BEARER, QUERY, startTestProxy, startUpstream, type TestProxy } from "./testing.ts"

const ROOT = join(import.meta.dirname, "../..")
const CHECKS = 20

/** The backend of the page for users, before this proxy and with more checks a second. */
async function documentedBackend(port: number): Promise<string> {
  const page = await readFile(join(ROOT, "docs/proxy.md"), "utf8")
  const [, backend = ""] = /```haproxy\n(backend site\n.*?)```/s.exec(page) ?? []
  assert.match(backend, /inter 2s/)
  return backend.replace(/\S+:8000/, `127.0.0.1:${port}`).replace("inter 2s", "inter 20ms")
}

async function startHaproxy(t: TestContext, haproxy: string, backend: string): Promise<string> {
  const port = await freePort()
  const defaults = "defaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\n"
  const frontend = `frontend portal\n  bind 127.0.0.1:${port}\n  default_backend site\n`
  const config = await temporaryFolder(t).write("haproxy.cfg", `${defaults}${frontend}${backend}`)
  const child = start(haproxy, ["-db", "-f", config])
  t.after(() => child.stop())
  return `http://127.0.0.1:${port}`
}

/** Counters of the proxy, each with its labels. */
async function countersOf({ adminUrl }: TestProxy): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const lines = text.match(/^fedstack_proxy_\w+_total.*$/gm) ?? []
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]))
}

/** What promtool says of the shipped rules where these counters grew so in every minute of two hours. */
async function firingAlerts(
  t: TestContext,
  promtool: string,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Promise<string> {
  const series = [...after].map(([name, value]) => {
    const labelled = `${name.replace(/\}$/, ",").replace(/^(\w+)$/, "$1{")}job="proxy",instance="proxy:8001"}`
    return { series: labelled, values: `${before.get(name) ?? 0}+${value - (before.get(name) ?? 0)}x120` }
  })
  const alerts = ["ProxyRefusesMany", "ProxyThrottles", "ProxyResponsesFail"]
  const expected = alerts.map((alertname) => ({ eval_time: "90m", alertname, exp_alerts: [] }))
  const tests = {
    rule_files: [join(ROOT, "site/prometheus/rules/proxy.yml")],
    evaluation_interval: "1m",
    tests: [{ interval: "1m", input_series: series, alert_rule_test: expected }],
  }
  const file = await temporaryFolder(t).write("health.yml", JSON.stringify(tests))
  const { status, stdout, stderr } = spawnSync(promtool, ["test", "rules", file], { encoding: "utf8" })
  return status === 0 ? "none" : `${stdout}${stderr}`
}

async function started(t: TestContext) {
  const [haproxy, prometheus] = [need(t, findHaproxy()), need(t, findPrometheus())]
  if (haproxy === undefined || prometheus === undefined) return undefined
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url)
  return { haproxy, promtool: join(prometheus, "promtool"), proxy, before: await countersOf(proxy) }
}

test("HAProxy checks the proxy as documented, sends it requests, and no alert fires", async (t) => {
  const parts = await started(t)
  if (parts === undefined) return
  const { haproxy, promtool, proxy, before } = parts
  const url = await startHaproxy(t, haproxy, await documentedBackend(proxy.port))
  await until(`${CHECKS} health checks`, async () => {
    const checks = (await countersOf(proxy)).get("fedstack_proxy_health_checks_total") ?? 0
    return checks >= CHECKS ? true : undefined
  })
  const response = await fetch(`${url}/federate?${QUERY}`, { headers: BEARER })
  assert.equal(response.status, 200, await response.text())
  assert.equal(await firingAlerts(t, promtool, before, await countersOf(proxy)), "none")
})

test("an alert fires where a load balancer checks another path", async (t) => {
  const parts = await started(t)
  if (parts === undefined) return
  const { haproxy, promtool, proxy, before } = parts
  const backend = (await documentedBackend(proxy.port)).replace("/-/healthy", "/")
  await startHaproxy(t, haproxy, backend)
  await until(`${CHECKS} refusals`, async () => {
    const name = 'fedstack_proxy_requests_total{client="",code="401",reason="unauthenticated"}'
    return ((await countersOf(proxy)).get(name) ?? 0) >= CHECKS ? true : undefined
  })
  assert.match(await firingAlerts(t, promtool, before, await countersOf(proxy)), /alertname="?:?\s*ProxyRefusesMany/)
})
