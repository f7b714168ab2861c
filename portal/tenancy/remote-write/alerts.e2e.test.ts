import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse, stringify } from "yaml"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus } from "../../../dev/testing/prometheus.ts"
import { bodyOf, HEADERS, write, type WrittenSample } from "../../../dev/testing/remote-write/write.ts"
import { until } from "../../../dev/testing/until.ts"
import { startChain } from "./chain.testing.ts"
import { STRIP } from "./scene.testing.ts"

const RULES = join(import.meta.dirname, "../../prometheus/rules/tenancy.yml")

interface Rules {
  readonly groups: readonly { readonly rules: readonly object[] }[]
}

/** As they are, but that they do not wait. */
async function impatientRules(): Promise<string> {
  const { groups } = parse(await readFile(RULES, "utf8")) as Rules
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, for: "0s" })),
    })),
  })
}

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

test("alerts on the tenancy proxy show what is wrong with it and for which tenant, and nothing while all is well", async (t) => {
  const folder = need(t, findPrometheus("3.5"))
  const limited = { ingestion_rate: 1, ingestion_burst_size: 1 }
  const chain = folder === undefined ? undefined : await startChain(t, { proxyFlags: STRIP, limits: { limited } })
  if (folder === undefined || chain === undefined) return
  const files = temporaryFolder(t)
  const rules = await files.write("rules.yml", await impatientRules())
  const config = await files.write(
    "prometheus.yml",
    stringify({
      global: { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "tenancy-proxy", static_configs: [{ targets: [`127.0.0.1:${chain.proxy.port}`] }] }],
    }),
  )
  const prometheus = await startPrometheus(folder, config)
  t.after(() => prometheus.stop())
  const alerts = async (): Promise<readonly Alert[]> => {
    const response = await fetch(`${prometheus.url}/api/v1/alerts`)
    return ((await response.json()) as { data: { alerts: Alert[] } }).data.alerts
  }
  const firing = async (): Promise<readonly string[]> => {
    const names = (await alerts()).map(({ labels: { alertname, tenant_id: tenant } }) =>
      tenant === undefined ? String(alertname) : `${alertname} ${tenant}`,
    )
    return names.toSorted()
  }
  const summaryOf = async (name: string): Promise<string | undefined> =>
    (await alerts()).find(({ labels: { alertname } }) => alertname === name)?.annotations.summary
  const written = async (tenant: string): Promise<number> => {
    const [sum] = await prometheus.query(`sum(fedstack_tenancy_proxy_slices_total{tenant_id="${tenant}"})`)
    return Number(sum?.value[1] ?? 0)
  }
  let second = Math.floor(Date.now() / 1000) - 600
  /** Until Prometheus has seen it. */
  const send = async (tenant: string, timestamp = (second += 1) * 1000, samples = 1): Promise<number> => {
    const before = await written(tenant)
    const all = Array.from({ length: samples }, (_, number): WrittenSample => {
      const labels = { __name__: "a", tenant_id: tenant, number: String(number) }
      return { labels, value: 1, timestamp }
    })
    const { status } = await write(chain.url, bodyOf(all), HEADERS[1])
    await until("Prometheus to have scraped it", async () => (await written(tenant)) > before)
    return status
  }

  for (const tenant of ["red", "blue", "red", "blue"]) assert.equal(await send(tenant), 204)
  assert.deepEqual(await firing(), [])

  const old = second - 60
  assert.equal(await send("red", old * 1000), 400)
  assert.equal(await send("red", old * 1000), 400)
  assert.equal(await send("limited", undefined, 2), 429)
  assert.equal(await send("limited", undefined, 2), 429)
  await until("both to be reported", async () => (await firing()).length === 2)
  assert.deepEqual(await firing(), ["TenancyTenantLimited limited", "TenancyTenantRefused red"])
  assert.match((await summaryOf("TenancyTenantLimited")) ?? "", /^The upstream limits the tenant limited: 100% /)
  assert.match((await summaryOf("TenancyTenantRefused")) ?? "", /samples of the tenant red that the upstream refused/)

  await chain.cortex.stop()
  await chain.forwarded.close()
  assert.equal(await send("blue"), 502)
  assert.equal(await send("blue"), 502)
  const all = [
    "TenancyTenantLimited limited",
    "TenancyTenantRefused red",
    "TenancyTenantUnavailable blue",
    "TenancyUpstreamDown",
  ]
  await until("the upstream to be reported", async () => (await firing()).length >= all.length)
  assert.deepEqual(await firing(), all)

  await chain.proxy.stop("SIGKILL")
  await until("the proxy to be reported", async () => (await firing()).includes("TenancyProxyDown"))
})
