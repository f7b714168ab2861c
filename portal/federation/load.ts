import { resolve, sep } from "node:path"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import { type BaseConfig, loadBaseConfig, NO_BASE_CONFIG } from "./base-config.ts"
import type { Inputs } from "./inputs.ts"
import { prometheusConfig, type PrometheusVersion } from "./prometheus-config.ts"
import { CONFIG_FILE, type OutputFile } from "./publish.ts"
import { loadSites, type Site, type Sites } from "./sites.ts"

export interface FederationSettings {
  readonly sitesFile: string
  readonly baseConfig: string | undefined
  readonly configDir: string
  readonly prometheusVersion: PrometheusVersion
}

/** All that Prometheus needs to federate the sites. */
export interface Plan {
  readonly sites: readonly Site[]
  /** In the order in which they are to be written: the configuration last. */
  readonly files: readonly OutputFile[]
}

/** Reads all configuration files. Throws ConfigurationError with the faults of all of them. */
export async function loadPlan(settings: FederationSettings, inputs: Inputs): Promise<Plan> {
  const faults: Fault[] = []
  const [sites, base] = await Promise.all([
    orFaults<Sites>(loadSites(settings.sitesFile, inputs), faults),
    orFaults<BaseConfig>(
      settings.baseConfig === undefined ? Promise.resolve(NO_BASE_CONFIG) : loadBaseConfig(settings.baseConfig, inputs),
      faults,
    ),
  ])
  faults.push(...overwritten(inputs.files, settings.configDir))
  for (const { name } of sites?.sites ?? []) {
    const where = base?.jobs.get(name)
    if (where === undefined) continue
    faults.push({ where, message: `${name} is the name of a site in ${settings.sitesFile} too; rename this job` })
  }
  if (faults.length > 0 || sites === undefined || base === undefined) throw new ConfigurationError(faults)
  const content = prometheusConfig(sites.sites, sites.limits, base, settings.prometheusVersion)
  return { sites: sites.sites, files: [...sites.files, ...base.files, { path: CONFIG_FILE, content, mode: 0o640 }] }
}

async function orFaults<T>(loading: Promise<T>, faults: Fault[]): Promise<T | undefined> {
  try {
    return await loading
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    faults.push(...error.faults)
    return undefined
  }
}

function overwritten(files: ReadonlySet<string>, configDir: string): Fault[] {
  const folder = resolve(configDir) + sep
  return [...files]
    .filter((file) => file.startsWith(folder))
    .map((file) => ({
      where: file,
      message: `must not lie in --prometheus.config-dir (${configDir}), where files are overwritten`,
    }))
}
