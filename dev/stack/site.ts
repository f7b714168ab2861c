import { copyFile, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { stringify } from "yaml"
import { inventCloud, siteName } from "./cloud.ts"
import { startListening } from "./listen.ts"
import { FIRST_PROXY_PORT, FREE } from "./ports.ts"
import type { Run } from "./run.ts"

export interface Site {
  readonly name: string
  readonly exporter: string
  readonly prometheus: string
  readonly proxy: string
}

/** Seconds between scrapes, everywhere: short, for a short start. */
export const SCRAPE_INTERVAL = 1

const FIXTURES = join(import.meta.dirname, "..", "fixtures")

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
  await writeFile(config, stringify(prometheusConfig(exporter)))
  const prometheus = await startListening(
    run,
    FREE,
    prometheusProgram(run, `${name} Prometheus`, config, join(folder, "data")),
  )
  const proxy = await startListening(run, FIRST_PROXY_PORT + index, proxyProgram(run, name, prometheus))
  return { name, exporter, prometheus, proxy }
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
    `--update-interval=${SCRAPE_INTERVAL}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ],
})

/** The job has the name in the portal's selectors. */
function prometheusConfig(exporter: string): unknown {
  return {
    global: { scrape_interval: `${SCRAPE_INTERVAL}s` },
    scrape_configs: [
      { job_name: "project_usages", metrics_path: "/", static_configs: [{ targets: [new URL(exporter).host] }] },
    ],
  }
}

export const prometheusProgram = (run: Run, name: string, config: string, data: string) => (port: number) => ({
  name,
  command: run.prometheus.binary,
  args: [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--web.enable-lifecycle",
    ...run.prometheus.flags,
  ],
})

const proxyProgram = (run: Run, site: string, prometheus: string) => (port: number) => ({
  name: `${site} proxy`,
  command: run.fedstack,
  args: [
    "proxy",
    `--token-file=${run.tokenFile}`,
    `--upstream=${prometheus}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--admin.listen-address=127.0.0.1:${FREE}`,
  ],
})
