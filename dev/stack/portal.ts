import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { stringify } from "yaml"
import { setTimeout as delay } from "node:timers/promises"
import { HEADER } from "../../portal/federation/publish.ts"
import { type BrokenSites, writeFiles } from "./broken-sites.ts"
import { startListening } from "./listen.ts"
import { PORTAL_PORT, PORTAL_PROMETHEUS_PORT } from "./ports.ts"
import type { Run } from "./run.ts"
import type { Service } from "./service.ts"
import { prometheusConfig, prometheusProgram, type Site } from "./site.ts"

export interface Portal {
  readonly portal: string
  readonly prometheus: string
}

const RULES = join(import.meta.dirname, "..", "..", "portal", "prometheus", "rules", "*.yml")

/** Where the portal passes it through. */
const PATH = "/prometheus"

/** Starts the portal's Prometheus without sites, then the portal, which hands it the configuration with all of them. */
export async function startPortal(run: Run, sites: Promise<readonly Site[]>, broken: BrokenSites): Promise<Portal> {
  const folder = join(run.folder, "portal")
  const configFolder = join(folder, "prometheus")
  await mkdir(configFolder, { recursive: true })
  const base = join(folder, "prometheus-base.yml")
  const configured = (jobs: Readonly<Record<string, string>>): string =>
    stringify(prometheusConfig(run.interval, RULES, jobs, broken.global))
  await writeFile(base, configured({}))
  const config = join(configFolder, "prometheus.yml")
  // the portal replaces only what it has written itself
  await writeFile(config, `${HEADER}${configured({})}`)
  const prometheus = await startListening(
    run,
    PORTAL_PROMETHEUS_PORT,
    prometheusProgram(run, "portal Prometheus", config, join(folder, "data"), PATH),
  )
  const prometheusUrl = prometheus.url + PATH

  const sitesFile = join(folder, "sites.yaml")
  await writeFiles(broken, folder)
  const tokenFile = relative(folder, run.tokenFile)
  await writeFile(sitesFile, stringify(sitesConfig(await sites, broken, tokenFile, run.interval)))
  const portal = await startListening(run, PORTAL_PORT, (port) => ({
    name: "portal",
    command: run.fedstack,
    args: [
      "portal",
      `--sites.file=${sitesFile}`,
      `--prometheus.base-config=${base}`,
      `--prometheus.config-dir=${configFolder}`,
      `--prometheus.url=${prometheusUrl}`,
      `--prometheus.version=${run.prometheus.version}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--web.external-url=http://127.0.0.1:${port}`,
    ],
  }))
  // only now their ports are known; the portal applies the change
  await writeFile(base, configured({ prometheus: prometheusUrl, portal: portal.url }))
  await spoil(run, broken, configFolder, prometheus.service)
  return { portal: portal.url, prometheus: prometheusUrl }
}

function sitesConfig(
  sites: readonly Site[],
  { sites: broken, limits }: BrokenSites,
  tokenFile: string,
  interval: number,
): unknown {
  const labels = (location: string, index: number) => ({ location, location_id: String(index + 1) })
  return {
    sites: [
      ...sites.map(({ name, proxy }, index) => ({
        name,
        url: proxy,
        labels: labels(name.replace("site", "city"), index),
        interval: `${interval}s`,
        token: { file: tokenFile },
      })),
      ...broken.map(({ name, fault }, index) => ({
        name,
        labels: labels("nowhere", sites.length + index),
        interval: `${Math.max(2, interval)}s`,
        ...fault.entry,
      })),
    ],
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  }
}

/** Spoils what the portal has written for some sites; Prometheus reads it when it is started again. */
async function spoil(run: Run, { sites }: BrokenSites, configFolder: string, prometheus: Service): Promise<void> {
  if (sites.every(({ fault }) => fault.spoil === undefined)) return
  // by then the portal writes nothing any more
  while (!(await readFile(join(configFolder, "accepted.json"), "utf8").catch(() => "")).includes("job_name: portal"))
    await delay(100, undefined, { signal: run.signal })
  for (const { name, fault } of sites) await fault.spoil?.(configFolder, name)
  await prometheus.stop()
  prometheus.start()
}
