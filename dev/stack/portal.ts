import { mkdir, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { stringify } from "yaml"
import { HEADER } from "../../portal/federation/publish.ts"
import { startListening } from "./listen.ts"
import { PORTAL_PORT, PORTAL_PROMETHEUS_PORT } from "./ports.ts"
import type { Run } from "./run.ts"
import { prometheusProgram, SCRAPE_INTERVAL, type Site } from "./site.ts"

export interface Portal {
  readonly portal: string
  readonly prometheus: string
}

/** Starts the portal's Prometheus without sites, then the portal, which hands it the configuration with all of them. */
export async function startPortal(run: Run, sites: Promise<readonly Site[]>): Promise<Portal> {
  const folder = join(run.folder, "portal")
  const configFolder = join(folder, "prometheus")
  await mkdir(configFolder, { recursive: true })
  const base = join(folder, "prometheus-base.yml")
  const global = stringify({ global: { scrape_interval: `${SCRAPE_INTERVAL}s` } })
  await writeFile(base, global)
  const config = join(configFolder, "prometheus.yml")
  // the portal replaces only what it has written itself
  await writeFile(config, `${HEADER}${global}`)
  const prometheus = await startListening(
    run,
    PORTAL_PROMETHEUS_PORT,
    prometheusProgram(run, "portal Prometheus", config, join(folder, "data")),
  )

  const sitesFile = join(folder, "sites.yaml")
  await writeFile(sitesFile, stringify(sitesConfig(await sites, relative(folder, run.tokenFile))))
  const portal = await startListening(run, PORTAL_PORT, (port) => ({
    name: "portal",
    command: run.fedstack,
    args: [
      "portal",
      `--sites.file=${sitesFile}`,
      `--prometheus.base-config=${base}`,
      `--prometheus.config-dir=${configFolder}`,
      `--prometheus.url=${prometheus}`,
      `--prometheus.version=${run.prometheus.version}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  }))
  return { portal, prometheus }
}

function sitesConfig(sites: readonly Site[], tokenFile: string): unknown {
  return {
    sites: sites.map(({ name, proxy }, index) => ({
      name,
      url: proxy,
      labels: { location: name, location_id: String(index + 1) },
      interval: `${SCRAPE_INTERVAL}s`,
      token: { file: tokenFile },
    })),
  }
}
