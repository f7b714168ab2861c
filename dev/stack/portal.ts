import { mkdir, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { stringify } from "yaml"
import { HEADER } from "../../portal/federation/publish.ts"
import { startListening } from "./listen.ts"
import { PORTAL_PORT, PORTAL_PROMETHEUS_PORT } from "./ports.ts"
import type { Run } from "./run.ts"
import { prometheusConfig, prometheusProgram, type Site } from "./site.ts"

export interface Portal {
  readonly portal: string
  readonly prometheus: string
}

const RULES = join(import.meta.dirname, "..", "..", "portal", "prometheus", "rules", "*.yml")

/** Starts the portal's Prometheus without sites, then the portal, which hands it the configuration with all of them. */
export async function startPortal(run: Run, sites: Promise<readonly Site[]>): Promise<Portal> {
  const folder = join(run.folder, "portal")
  const configFolder = join(folder, "prometheus")
  await mkdir(configFolder, { recursive: true })
  const base = join(folder, "prometheus-base.yml")
  const configured = (jobs: Readonly<Record<string, string>>): string =>
    stringify(prometheusConfig(run.interval, RULES, jobs))
  await writeFile(base, configured({}))
  const config = join(configFolder, "prometheus.yml")
  // the portal replaces only what it has written itself
  await writeFile(config, `${HEADER}${configured({})}`)
  const prometheus = await startListening(
    run,
    PORTAL_PROMETHEUS_PORT,
    prometheusProgram(run, "portal Prometheus", config, join(folder, "data")),
  )

  const sitesFile = join(folder, "sites.yaml")
  await writeFile(sitesFile, stringify(sitesConfig(await sites, relative(folder, run.tokenFile), run.interval)))
  const portal = await startListening(run, PORTAL_PORT, (port) => ({
    name: "portal",
    command: run.fedstack,
    args: [
      "portal",
      `--sites.file=${sitesFile}`,
      `--prometheus.base-config=${base}`,
      `--prometheus.config-dir=${configFolder}`,
      `--prometheus.url=${prometheus.url}`,
      `--prometheus.version=${run.prometheus.version}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  }))
  // only now their ports are known; the portal applies the change
  await writeFile(base, configured({ prometheus: prometheus.url, portal: portal.url }))
  return { portal: portal.url, prometheus: prometheus.url }
}

function sitesConfig(sites: readonly Site[], tokenFile: string, interval: number): unknown {
  return {
    sites: sites.map(({ name, proxy }, index) => ({
      name,
      url: proxy,
      labels: { location: name, location_id: String(index + 1) },
      interval: `${interval}s`,
      token: { file: tokenFile },
    })),
  }
}
