import { copyFile, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { stringify } from "yaml"
import { inventCloud, siteName } from "./cloud.ts"
import { startListening } from "./listen.ts"
import { FIRST_PROXY_PORT, FREE } from "./ports.ts"
import type { Run } from "./run.ts"
import type { Service } from "./service.ts"

export interface Site {
  readonly name: string
  readonly exporter: string
  readonly prometheus: string
  readonly proxy: string
  readonly services: readonly Service[]
}

const FIXTURES = join(import.meta.dirname, "..", "fixtures")
const RULES = join(import.meta.dirname, "..", "..", "site", "prometheus", "rules", "*.yml")

/** Starts exporter, Prometheus and proxy of the site with this index; each listens when this returns. */
export async function startSite(run: Run, index: number): Promise<Site> {
  const name = siteName(index)
  const folder = join(run.folder, name)
  await mkdir(folder)
  const cloud = join(folder, "cloud.toml")
  if (index < 2) await copyFile(join(FIXTURES, `${name}.toml`), cloud)
  else await writeFile(cloud, inventCloud(name))

  const exporter = await startListening(run, FREE, exporterProgram(run, name, cloud))
  const config = join(folder, "prometheus.yml")
  const configure = (jobs: Readonly<Record<string, string>>): Promise<void> =>
    writeFile(config, stringify(prometheusConfig(run.interval, RULES, { project_usages: exporter.url, ...jobs })))
  await configure({})
  const prometheus = await startListening(
    run,
    FREE,
    prometheusProgram(run, `${name} Prometheus`, config, join(folder, "data")),
  )
  const proxy = await startListening(run, FIRST_PROXY_PORT + index, proxyProgram(run, name, prometheus.url), 2)
  await configure({ proxy: proxy.secondUrl, prometheus: prometheus.url })
  prometheus.service.reload()
  const services = [exporter, prometheus, proxy].map(({ service }) => service)
  return { name, exporter: exporter.url, prometheus: prometheus.url, proxy: proxy.url, services }
}

/** What a Prometheus here does: rules, and a job for each of these addresses, with the names of the shipped configuration. */
export function prometheusConfig(
  interval: number,
  rules: string,
  jobs: Readonly<Record<string, string>>,
  global: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    global: { scrape_interval: `${interval}s`, evaluation_interval: `${Math.max(5, interval)}s`, ...global },
    rule_files: [rules],
    scrape_configs: Object.entries(jobs).map(([name, address]) => {
      const url = new URL(address)
      const path = url.pathname.replace(/\/$/, "")
      return {
        job_name: name,
        ...(path !== "" && { metrics_path: `${path}/metrics` }),
        static_configs: [{ targets: [url.host] }],
      }
    }),
  }
}

const exporterProgram = (run: Run, site: string, cloud: string) => (port: number) => ({
  name: `${site} exporter`,
  command: run.fedstack,
  args: [
    "exporter",
    "project-usage",
    `--dummy-data=${cloud}`,
    `--dummy-weights=${join(FIXTURES, "weights.toml")}`,
    `--start=${new Date().getUTCFullYear()}-01-01`,
    `--update-interval=${run.interval}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ],
})

/** `path`: below which it is, such as /prometheus. */
export const prometheusProgram =
  (run: Run, name: string, config: string, data: string, path = "") =>
  (port: number) => ({
    name,
    command: run.prometheus.binary,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-lifecycle",
      ...(path === "" ? [] : [`--web.external-url=http://127.0.0.1:${port}${path}/`]),
      ...run.prometheus.flags,
    ],
  })

const proxyProgram =
  (run: Run, site: string, prometheus: string) =>
  (port: number, adminPort = FREE) => ({
    name: `${site} proxy`,
    command: run.fedstack,
    args: [
      "proxy",
      `--token-file=${run.tokenFile}`,
      `--upstream=${prometheus}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--admin.listen-address=127.0.0.1:${adminPort}`,
    ],
  })
