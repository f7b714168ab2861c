import { resolve, sep } from "node:path"
import { Faults } from "#core/config/faults.ts"
import { loadBaseConfig, NO_BASE_CONFIG } from "./base-config.ts"
import { prometheusConfig } from "./prometheus-config.ts"
import { CONFIG_FILE, type OutputFile } from "./publish.ts"
import type { FederationSettings } from "./settings.ts"
import { type Inputs, loadSites, type Site } from "./sites.ts"
import { OLDEST, type PrometheusVersion } from "./version.ts"
import { warningsOf } from "./warnings.ts"

/** What may be an oversight: in which file, or at which site. */
export interface Warning {
  readonly about: { readonly where: string } | { readonly site: string }
  readonly message: string
}

/** What is written for a version of Prometheus. */
export type FilesFor = (version: PrometheusVersion) => readonly OutputFile[]

/** All that Prometheus needs to federate the sites. */
export interface FederationPlan {
  readonly sites: readonly Site[]
  /** In the order in which they are to be written: the configuration last. */
  readonly files: readonly OutputFile[]
  /** The same for a version. Without it they are for the one that the settings give. */
  readonly filesFor?: FilesFor
  readonly warnings: readonly Warning[]
}

/** Reads all configuration files. Throws ConfigurationError with the faults of all of them. */
export async function loadPlan(
  settings: Pick<FederationSettings, "sitesFile" | "baseConfig" | "configDir" | "prometheusVersion">,
  given: Inputs,
): Promise<FederationPlan> {
  const faults = new Faults()
  const readFiles = new Set<string>()
  const inputs: Inputs = {
    ...given,
    read(file, where) {
      readFiles.add(resolve(file))
      return given.read(file, where)
    },
  }
  const sites = faults.collect(() => loadSites(settings.sitesFile, inputs))
  const base =
    settings.baseConfig === undefined
      ? NO_BASE_CONFIG
      : await faults.collectFrom(loadBaseConfig(settings.baseConfig, inputs))
  const folder = resolve(settings.configDir) + sep
  for (const file of [...readFiles].filter((name) => name.startsWith(folder))) {
    faults.add(file, `must not lie in --prometheus.config-dir (${settings.configDir}), where files are overwritten`)
  }
  for (const { name } of sites?.sites ?? []) {
    const where = base?.jobs.get(name)
    if (where !== undefined)
      faults.add(where, `${name} is the name of a site in ${settings.sitesFile} too; rename this job`)
  }
  if (sites === undefined || base === undefined || faults.any) throw faults.toError()
  const filesFor: FilesFor = (version) => {
    const content = prometheusConfig(sites.sites, sites.limits, base, version)
    return [...sites.files, ...base.files, { path: CONFIG_FILE, content, mode: 0o640 }]
  }
  const warnings = [
    ...base.warnings.map(({ where, message }) => ({ about: { where }, message })),
    ...warningsOf(sites.sites).map(({ site, message }) => ({ about: { site: site.name }, message })),
  ]
  const { prometheusVersion } = settings
  const files = filesFor(prometheusVersion ?? OLDEST)
  return { sites: sites.sites, files, ...(prometheusVersion === undefined && { filesFor }), warnings }
}
