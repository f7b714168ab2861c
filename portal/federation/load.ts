import { resolve, sep } from "node:path"
import { Faults } from "#core/config/faults.ts"
import { loadBaseConfig, NO_BASE_CONFIG } from "./base-config.ts"
import { prometheusConfig } from "./prometheus-config.ts"
import { checkPins } from "./pins.ts"
import { CONFIG_FILE, type OutputFile } from "./publish.ts"
import type { Limits } from "./schema.ts"
import type { FederationSettings } from "./settings.ts"
import { SHARD, type ShardLabel } from "./shard-config.ts"
import type { Shard } from "./shards.ts"
import { type Inputs, loadSites, type PushingSite, type Site } from "./sites.ts"
import { OLDEST, type PrometheusVersion, showVersion } from "./version.ts"
import { warningsOf } from "./warnings.ts"

/** What may be an oversight: in which file, or at which site. */
export interface Warning {
  readonly about: { readonly where: string } | { readonly site: string }
  readonly message: string
}

/** What is written for a version of Prometheus. */
export type FilesFor = (version: PrometheusVersion) => readonly OutputFile[]

/** Files for a Prometheus, and the sites in them. */
export interface ShardPlan {
  readonly sites: readonly Site[]
  /** In the order in which they are to be written: the configuration last. */
  readonly files: readonly OutputFile[]
  /** Names of the jobs in it. */
  readonly jobs: readonly string[]
  /** The same for a version. Without it they are for the one that the settings give. */
  readonly filesFor?: FilesFor
  /** The one that the settings give. */
  readonly version?: PrometheusVersion
}

/** All that is needed to federate the sites. */
export interface FederationPlan {
  readonly sites: readonly Site[]
  /** What nobody can reach; no Prometheus gets a job for them. */
  readonly pushing: readonly PushingSite[]
  readonly limits: Limits
  /** Of the secrets and TLS files of all sites, by their paths. */
  readonly contents: ReadonlyMap<string, string>
  readonly warnings: readonly Warning[]
  /** What one Prometheus gets that scrapes these of the sites. */
  of(sites?: readonly Site[], shard?: Shard): ShardPlan
}

const NEEDS_ISSUER =
  "needs --web.external-url, such as https://portal.example.org: it is the issuer of the tokens, by which the site knows them"

type LoadSettings = Pick<FederationSettings, "sitesFile" | "baseConfig" | "prometheusVersion">

/** Reads all configuration files. Throws ConfigurationError with the faults of all of them. */
export async function loadPlan(
  settings: LoadSettings,
  shards: readonly Shard[],
  given: Inputs & {
    /** Of tokens that the portal signs; undefined where it cannot sign any. */
    readonly issuer?: string | undefined
  },
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
  const found = faults.collect(() => loadSites(settings.sitesFile, inputs))
  const base =
    settings.baseConfig === undefined
      ? NO_BASE_CONFIG
      : await faults.collectFrom(loadBaseConfig(settings.baseConfig, inputs))
  const report = (where: string, message: string): void => faults.add(where, message)
  for (const { folder, named } of shards) {
    const flag = named ? "a folder of --prometheus.shard" : "--prometheus.config-dir"
    for (const file of [...readFiles].filter((name) => name.startsWith(resolve(folder) + sep)))
      report(file, `must not lie in ${flag} (${folder}), where files are overwritten`)
  }
  for (const { name } of [...(found?.sites ?? []), ...(found?.pushing ?? [])]) {
    const where = base?.jobs.get(name)
    if (where !== undefined)
      report(where, `${name} is the name of a site in ${settings.sitesFile} too; rename this job`)
  }
  for (const { jwt, where } of given.issuer === undefined ? (found?.sites ?? []) : []) {
    if (jwt !== undefined) report(`${where}.jwt`, NEEDS_ISSUER)
  }
  if (found !== undefined) checkPins(found, shards, report)
  const sharded = shards.some(({ named }) => named)
  if (sharded && base?.externalLabels.includes(SHARD))
    report(`${settings.baseConfig} global.external_labels.${SHARD}`, "is set by --prometheus.shard; remove it here")
  if (found === undefined || base === undefined || faults.any) throw faults.toError()
  // `found` itself holds the parsed file: what is kept for other versions of Prometheus must not
  const { sites: all, pushing, limits, files: secrets, filesOf } = found
  const warnings = [
    ...base.warnings.map(({ where, message }) => ({ about: { where }, message })),
    ...warningsOf(all).map(({ site, message }) => ({ about: { site: site.name }, message })),
  ]
  const { prometheusVersion } = settings
  return {
    sites: all,
    pushing,
    limits,
    contents: new Map(secrets.map(({ path, content }) => [path, content])),
    warnings,
    of(sites = all, shard) {
      const label = shard?.named === true ? labelOf(shard, shards) : undefined
      const filesFor = keepLast((version) => {
        const content = prometheusConfig(sites, limits, base, version, { shard: label, all: [...all, ...pushing] })
        const own = sites.flatMap(({ name }) => filesOf.get(name) ?? [])
        return [...own, ...base.files, { path: CONFIG_FILE, content, mode: 0o640 }]
      })
      const scraped = sites.filter(({ paused }) => paused === undefined).map(({ name }) => name)
      const jobs = [...base.jobs.keys(), ...scraped]
      return {
        sites,
        get files() {
          return filesFor(prometheusVersion ?? OLDEST)
        },
        jobs,
        ...(prometheusVersion === undefined ? { filesFor } : { version: prometheusVersion }),
      }
    },
  }
}

/** What is written and what is submitted a moment later are for the same version. */
function keepLast(make: FilesFor): FilesFor {
  let last: { readonly key: string; readonly files: readonly OutputFile[] } | undefined
  return (version) => {
    const key = showVersion(version)
    if (last?.key !== key) last = { key, files: make(version) }
    return last.files
  }
}
const labelOf = ({ name }: Shard, shards: readonly Shard[]): ShardLabel => ({
  name,
  others: shards.map((one) => one.name).filter((other) => other !== name),
})
