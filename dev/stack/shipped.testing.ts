import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { Agent, request } from "undici"
import { parse, stringify } from "yaml"
import { startFederatedPortal, startTokenDoor } from "../../portal/federation/testing.ts"
import { startGatewayExporter } from "../../site/grafana/gateway-api.testing.ts"
import { startOpaExporter } from "../../site/grafana/opa-data.testing.ts"
import { type Authority, makeAuthority } from "../testing/certificates.ts"
import { type Child, start } from "../testing/child.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { serveGatewayObjects } from "../testing/gateway-objects.ts"
import { type RunningPrometheus, startPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"

export const ROOT = join(import.meta.dirname, "../..")
const LOCAL = "127.0.0.1:0"
const NOW = Math.trunc(Date.now() / 1000)
/** It says when it ends, in 30 days. */
const TOKEN = [{ alg: "none" }, { iat: NOW - 86_400, exp: NOW + 30 * 86_400 }, "x"]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".")
/** Where it is refused, so that an alert fills in its text. */
const NOBODY = "http://127.0.0.1:1"
const EVERYTHING = '{__name__=~".+"}'

interface PrometheusConfig {
  global: Record<string, string>
  rule_files: string[]
  scrape_configs: {
    job_name: string
    honor_labels?: boolean
    static_configs: { targets: readonly string[]; labels?: Record<string, string> }[]
  }[]
}

export interface ShippedStack {
  readonly sites: readonly RunningPrometheus[]
  /** Of the sites, and of that portal. */
  readonly portals: readonly [RunningPrometheus, RunningPrometheus]
  /** Each site refuses a request, and has another that its Prometheus does not respond to. */
  readonly fail: () => Promise<void>
}

/**
 * Two sites with all exporters and two proxies, one that is down, their portal, which shares all, and a portal above it and a
 * site; with all rules that are shipped, each second.
 */
export async function startShippedStack(t: TestContext, prometheus: string, opa: string): Promise<ShippedStack> {
  const authority = makeAuthority("authority")
  const [a, b] = await Promise.all(
    ["site-a", "site-b"].map((name) => startSite(t, name, { prometheus, opa, authority })),
  )
  if (a === undefined || b === undefined) throw new Error("two sites are two")
  const urls = { "site-a": a.proxy, "site-b": b.proxy, "site-c": NOBODY }
  const portal = await startPortal(t, prometheus, urls, authority.cert)
  const door = await startTokenDoor(t, portal.url)
  door.tokens.add(TOKEN)
  const above = { region: door.url, "site-c": NOBODY, "site-d": a.proxy }
  const top = await startPortal(t, prometheus, above, authority.cert)
  const agent = new Agent({ connect: { ca: authority.cert } })
  t.after(() => agent.close())
  return {
    sites: [a.prometheus, b.prometheus],
    portals: [portal, top],
    async fail() {
      const headers = { authorization: `Bearer ${TOKEN}` }
      const query = new URLSearchParams({ "match[]": EVERYTHING }).toString()
      for (const { proxy, proxyWithoutPrometheus } of [a, b]) {
        await (await request(`${proxy}/federate`, { dispatcher: agent })).body.dump()
        const url = `${proxyWithoutPrometheus}/federate?${query}`
        await (await request(url, { dispatcher: agent, headers })).body.dump()
      }
    },
  }
}

async function startPortal(
  t: TestContext,
  folder: string,
  urls: Readonly<Record<string, string>>,
  ca: string,
): Promise<RunningPrometheus> {
  const sites = Object.entries(urls).map(([name, url]) => ({
    name,
    url,
    labels: { location: name },
    match: [EVERYTHING],
    interval: "1s",
    timeout: "1s",
    token: { file: "token" },
    ...(url.startsWith("https:") && { tls: { ca_file: "ca.pem" } }),
  }))
  const files = { token: TOKEN, "ca.pem": ca, "base.yml": "", "sites.yaml": stringify({ sites }) }
  const portal = await startFederatedPortal(t, folder, files, ["--web.external-url=https://portal.example.org"])
  const targets = { prometheus: [hostOf(portal.prometheus.url)], portal: [hostOf(portal.url)] }
  const config = await shippedConfig(join(ROOT, "portal/prometheus/local.yml"), targets)
  await portal.write("base.yml", stringify({ ...config, rule_files: [await copyRules(t, "portal")] }))
  // a site that delivers is probed by itself within minutes
  for (const { name } of sites) {
    const check = async (): Promise<true | undefined> => {
      const { ok } = await fetch(`${portal.url}/api/v1/sites/${name}/check`, { method: "POST" })
      return ok ? true : undefined
    }
    await until(`${name} to be checked`, check, 90)
  }
  return portal.prometheus
}

interface Programs {
  readonly prometheus: string
  readonly opa: string
  readonly authority: Authority
}

async function startSite(t: TestContext, name: string, { prometheus: folder, opa, authority }: Programs) {
  const files = temporaryFolder(t)
  const prometheus = await startPrometheus(folder, await files.write("prometheus.yml", "global: {}\n"))
  t.after(() => prometheus.stop())
  const policyOf = (upstreams: readonly string[]) => ({
    upstreams,
    tokens: [
      {
        name: "portal",
        file: "token",
        not_after: new Date(Date.now() + 30 * 86_400_000).toISOString(),
        match: [EVERYTHING],
        share_everything: true,
      },
    ],
  })
  const { cert, key } = authority.issue({ name, sans: ["IP:127.0.0.1"] })
  await files.write("token", TOKEN)
  await files.write("site.crt", cert)
  await files.write("site.key", key)
  const web = await files.write("web.yml", "tls_server_config: {cert_file: site.crt, key_file: site.key}\n")
  // behind the second one there is no Prometheus
  const [proxy, other] = await Promise.all(
    [[NOBODY, prometheus.url], [NOBODY]].map(async (upstreams, index) => {
      const policy = await files.write(`policy-${index}.yaml`, stringify(policyOf(upstreams)))
      const child = fedstack(t, [
        ...["proxy", `--policy=${policy}`, `--web.config.file=${web}`],
        ...[`--web.listen-address=${LOCAL}`, `--admin.listen-address=${LOCAL}`],
      ])
      // the admin address comes first
      const [admin = "", open = ""] = await addressesOf(child, 2)
      return { admin, url: `https://${open}` }
    }),
  )
  if (proxy === undefined || other === undefined) throw new Error("two proxies are two")
  const state = await mkdtemp(join(tmpdir(), "fedstack-shipped-"))
  const usage = fedstack(t, [
    ...["exporter", "project-usage", `--dummy-data=${join(ROOT, `dev/fixtures/${name}.toml`)}`, "--update-interval=1"],
    `--state-file=${join(state, "usage.json")}`,
    ...[`--dummy-weights=${join(ROOT, "dev/fixtures/weights.toml")}`, `--web.listen-address=${LOCAL}`],
  ])
  // what ends first is registered first: until then the exporter writes to it
  t.after(() => rm(state, { recursive: true }))
  const opaAt = await startOpaExporter(t, opa, name)
  const kubeconfig = await serveGatewayObjects(t)
  const gatewayApiAt = await Promise.all(
    [[], ["--kubernetes.watch"]].map((mode) => startGatewayExporter(t, kubeconfig, mode)),
  )
  const [usageAt = ""] = await addressesOf(usage, 1)
  const targets = {
    project_usages: [usageAt],
    proxy: [proxy.admin, other.admin],
    prometheus: [hostOf(prometheus.url)],
  }
  const config = await shippedConfig(join(ROOT, "site/prometheus/prometheus.yml"), targets)
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
  return { prometheus, proxy: proxy.url, proxyWithoutPrometheus: other.url }
}

/** As it is shipped, with these targets of its jobs, each second. */
async function shippedConfig(
  file: string,
  targets: Readonly<Record<string, readonly string[]>>,
): Promise<PrometheusConfig> {
  const config = parse(await readFile(file, "utf8")) as PrometheusConfig
  for (const job of config.scrape_configs) {
    const found = targets[job.job_name]
    if (found === undefined) throw new Error(`no target for the job ${job.job_name}`)
    job.static_configs = [{ targets: found }]
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
