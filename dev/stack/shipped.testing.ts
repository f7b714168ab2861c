import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { parse, stringify } from "yaml"
import { startFederatedPortal, startTokenDoor } from "../../portal/federation/testing.ts"
import { startGatewayExporter } from "../../site/grafana/gateway-api.testing.ts"
import { type Child, start } from "../testing/child.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { serveGatewayObjects } from "../testing/gateway-objects.ts"
import { startOpa } from "../testing/opa.ts"
import { type RunningPrometheus, startPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"

export const ROOT = join(import.meta.dirname, "../..")
const LOCAL = "127.0.0.1:0"
const TOKEN = "the-token-of-the-portal"
/** Where it is refused, so that an alert fills in its text. */
const NOBODY = "http://127.0.0.1:1"
const EVERYTHING = '{__name__=~".+"}'

interface PrometheusConfig {
  global: Record<string, string>
  rule_files: string[]
  scrape_configs: {
    job_name: string
    honor_labels?: boolean
    static_configs: { targets: string[]; labels?: Record<string, string> }[]
  }[]
}

export interface ShippedStack {
  readonly sites: readonly RunningPrometheus[]
  /** Of the sites, and of that portal. */
  readonly portals: readonly [RunningPrometheus, RunningPrometheus]
}

/**
 * Two sites with all exporters and a proxy, one that is down, their portal, and a portal above it, which shares all; with all
 * rules that are shipped, each second.
 */
export async function startShippedStack(t: TestContext, prometheus: string, opa: string): Promise<ShippedStack> {
  const [a, b] = await Promise.all(["site-a", "site-b"].map((name) => startSite(t, name, prometheus, opa)))
  if (a === undefined || b === undefined) throw new Error("two sites are two")
  const portal = await startPortal(t, prometheus, { "site-a": a.proxy, "site-b": b.proxy, "site-c": NOBODY })
  const door = await startTokenDoor(t, portal.url)
  door.tokens.add(TOKEN)
  const top = await startPortal(t, prometheus, { region: door.url, "site-c": NOBODY })
  return { sites: [a.prometheus, b.prometheus], portals: [portal, top] }
}

async function startPortal(
  t: TestContext,
  folder: string,
  urls: Readonly<Record<string, string>>,
): Promise<RunningPrometheus> {
  const sites = Object.entries(urls).map(([name, url]) => ({
    name,
    url,
    labels: { location: name },
    match: [EVERYTHING],
    interval: "1s",
    timeout: "1s",
    token: { file: "token" },
  }))
  const files = { token: TOKEN, "base.yml": "", "sites.yaml": stringify({ sites }) }
  const portal = await startFederatedPortal(t, folder, files)
  const targets = { prometheus: hostOf(portal.prometheus.url), portal: hostOf(portal.url) }
  const config = await shippedConfig(join(ROOT, "portal/prometheus"), targets)
  await portal.write("base.yml", stringify({ ...config, rule_files: [await copyRules(t, "portal")] }))
  return portal.prometheus
}

async function startSite(t: TestContext, name: string, folder: string, opa: string) {
  const files = temporaryFolder(t)
  const prometheus = await startPrometheus(folder, await files.write("prometheus.yml", "global: {}\n"))
  t.after(() => prometheus.stop())
  const policy = {
    upstreams: [prometheus.url],
    tokens: [{ name: "portal", file: await files.write("token", TOKEN), match: [EVERYTHING], share_everything: true }],
  }
  const proxy = fedstack(t, [
    ...["proxy", `--policy=${await files.write("policy.yaml", stringify(policy))}`],
    ...[`--web.listen-address=${LOCAL}`, `--admin.listen-address=${LOCAL}`],
  ])
  const usage = fedstack(t, [
    ...["exporter", "project-usage", `--dummy-data=${join(ROOT, `dev/fixtures/${name}.toml`)}`, "--update-interval=1"],
    ...[`--dummy-weights=${join(ROOT, "dev/fixtures/weights.toml")}`, `--web.listen-address=${LOCAL}`],
  ])
  const urls = [NOBODY]
  for (const item of ["x", "y"]) {
    const running = await startOpa(opa)
    t.after(() => running.stop())
    await running.put("kubernetes/namespaces", { [item]: {} })
    urls.push(running.url)
  }
  const opaData = fedstack(t, [
    ...["exporter", "opa-data", `--cluster-name=${name}`, "--opa-service=opa", "--interval=1"],
    ...["--opa-cluster-data=kubernetes/namespaces", `--opa-token-file=${await files.write("opa-token", "token")}`],
    ...[`--web.listen-address=${LOCAL}`, ...urls.map((url) => `--opa-url=${url}`)],
  ])
  const kubeconfig = await serveGatewayObjects(t)
  const gatewayApiAt = await Promise.all(
    [[], ["--kubernetes.watch"]].map((mode) => startGatewayExporter(t, kubeconfig, mode)),
  )
  // the proxy's admin address comes first
  const [admin = "", open] = await addressesOf(proxy, 2)
  const [usageAt = ""] = await addressesOf(usage, 1)
  const [opaAt = ""] = await addressesOf(opaData, 1)
  const targets = { project_usages: usageAt, proxy: admin, prometheus: hostOf(prometheus.url) }
  const config = await shippedConfig(join(ROOT, "site/prometheus"), targets)
  config.scrape_configs.push({ job_name: "opa-data-exporter", static_configs: [{ targets: [opaAt] }] })
  const labels = { cluster: name }
  config.scrape_configs.push({
    job_name: "gateway-api-exporter",
    honor_labels: true,
    static_configs: [{ targets: gatewayApiAt, labels }],
  })
  config.rule_files = [await copyRules(t, "site")]
  await files.write("prometheus.yml", stringify(config))
  await fetch(`${prometheus.url}/-/reload`, { method: "POST" })
  return { prometheus, proxy: `http://${open}` }
}

/** As it is shipped, with these targets of its jobs, each second. */
async function shippedConfig(folder: string, targets: Readonly<Record<string, string>>): Promise<PrometheusConfig> {
  const config = parse(await readFile(join(folder, "prometheus.yml"), "utf8")) as PrometheusConfig
  for (const job of config.scrape_configs) {
    const target = targets[job.job_name]
    if (target === undefined) throw new Error(`no target for the job ${job.job_name}`)
    job.static_configs = [{ targets: [target] }]
  }
  config.global = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" }
  return config
}

/** Copies without intervals of their own: a group is first evaluated at any time within its interval. */
async function copyRules(t: TestContext, of: "site" | "portal"): Promise<string> {
  const [from, to] = [join(ROOT, of, "prometheus/rules"), temporaryFolder(t)]
  for (const file of await readdir(from)) {
    const text = await readFile(join(from, file), "utf8")
    await to.write(file, text.replaceAll(/^ {4}interval: \w+\n/gm, ""))
  }
  return join(to.path, "*.yml")
}

const hostOf = (url: string): string => new URL(url).host

function fedstack(t: TestContext, args: readonly string[]): Child {
  const child = start(join(ROOT, "bin/fedstack"), args)
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
