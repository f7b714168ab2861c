import type { Fault } from "#core/errors.ts"
import { plural } from "../diagnosis/words.ts"
import type { SharedCause } from "../diagnosis/shared-cause.ts"
import type { FormerShard } from "../federation/former-shards.ts"
import type { RolloutProblem } from "../federation/rollout.ts"
import type { Banner } from "./overview.ts"
import { clean } from "./changes.ts"
import { signingBanner, type SigningProblem } from "./signing-banner.ts"

/** What concerns one Prometheus. Texts may be hostile: of Prometheus, or of files. */
export interface ShardCircumstances {
  /** Its name, where there may be several. */
  readonly shard: string | undefined
  /** Why Prometheus does not say how the sites are; undefined while it does. */
  readonly silent: { readonly reason: string; readonly starting: boolean } | undefined
  readonly prometheusUrl: string
  readonly problem: RolloutProblem | undefined
  /** The configuration on disk is another than the portal wrote. */
  readonly edited: string | undefined
  /** Of the sites that are not paused, how many Prometheus has no job for; undefined where it does not say. */
  readonly missing: { readonly jobs: number; readonly of: number } | undefined
  /** Open files that Prometheus may have; undefined where it does not say. */
  readonly maxFiles: number | undefined
  readonly sites: number
}

/** What concerns more than one site. */
export interface Circumstances {
  readonly shards: readonly ShardCircumstances[]
  readonly faults: readonly Fault[]
  /** Of the keys of tokens that the portal signs. */
  readonly signing?: SigningProblem | undefined
  readonly sitesFile: string
  readonly shared: SharedCause | undefined
  /** Folders that Prometheus of earlier shards may read still. */
  readonly former: readonly FormerShard[]
}

type Undated = Omit<Banner, "since"> & { readonly since?: Date }

/** In the order of importance: without Prometheus nothing is known, and without its configuration nothing is as it is listed. */
export function bannersOf(about: Circumstances): readonly Undated[] {
  const ofEach = (banner: (one: ShardCircumstances) => Undated | undefined) =>
    about.shards.map((one) => {
      const found = banner(one)
      return found && one.shard !== undefined ? { ...found, shard: one.shard } : found
    })
  return [
    ...ofEach((one) => silence(one, about.shards)),
    ...ofEach(notApplied),
    sitesFaults(about),
    signingBanner(about.signing),
    ...ofEach(drift),
    ...about.former.map(stillThere),
    sharedBanner(about),
    ...ofEach(fewFiles),
  ].filter((banner) => banner !== undefined)
}

const nameOf = ({ shard }: ShardCircumstances): string => (shard === undefined ? "Prometheus" : `Prometheus ${shard}`)

/** What is known while one does not say it. */
function asBefore({ shard, sites }: ShardCircumstances, all: readonly ShardCircumstances[]): string {
  if (shard === undefined) return "States are those of before."
  const others = all.some(({ silent }) => silent === undefined) ? "; others are not affected" : ""
  return `The states of its ${plural(sites, "site")} are those of before${others}.`
}

function silence(about: ShardCircumstances, all: readonly ShardCircumstances[]): Undated | undefined {
  const { silent, prometheusUrl, shard } = about
  if (silent === undefined) return undefined
  if (silent.starting) {
    return {
      id: "prometheus_starting",
      severity: "trouble",
      message: `${nameOf(about)} is starting: it reads its data, and scrapes no site until that is done.`,
      todo: `Wait; its log shows how far it is. ${asBefore(about, all)}`,
    }
  }
  const flag = shard === undefined ? "--prometheus.url" : "--prometheus.shard"
  return {
    id: "prometheus_unreachable",
    severity: "trouble",
    message: `The portal cannot request ${nameOf(about)} at ${prometheusUrl}: ${clean(silent.reason)}.`,
    todo: `Check that Prometheus runs, and ${flag} with its credentials. ${asBefore(about, all)}`,
  }
}

const PROBLEMS: Readonly<Record<string, Pick<Banner, "id" | "todo">>> = {
  RELOAD_REFUSED: {
    id: "config_refused",
    todo: "Prometheus' log names the fault, and promtool check rules finds it in a rule file: mend that, or the base configuration. The last accepted configuration stays active.",
  },
  FOLDER_LOCKED: { id: "folder_locked", todo: "This portal changes nothing until the other one ends." },
  FOREIGN_CONFIGURATION: { id: "config_not_written", todo: "Changes of sites.yaml have no effect until then." },
  CONFIGURATION_NOT_WRITTEN: {
    id: "config_not_written",
    todo: "Make room, or make the folder writable; it is tried again by itself. Changes of sites.yaml have no effect until then.",
  },
}

function notApplied({ problem, silent }: ShardCircumstances): Undated | undefined {
  if (problem === undefined) return undefined
  const known = PROBLEMS[problem.code ?? ""]
  // one banner for one fault
  if (known === undefined && silent !== undefined) return undefined
  return {
    id: known?.id ?? "config_not_reloaded",
    severity: "trouble",
    message: clean(problem.reason),
    todo:
      known?.todo ?? "Changes of sites.yaml have no effect until Prometheus is reloaded; it is tried again by itself.",
    since: problem.since,
  }
}

const MOST_FAULTS = 5

function sitesFaults({ faults, sitesFile }: Circumstances): Undated | undefined {
  if (faults.length === 0) return undefined
  const shown = faults.slice(0, MOST_FAULTS).map(({ where, message }) => `${where}: ${message}`)
  const more = faults.length > MOST_FAULTS ? ` (and ${faults.length - MOST_FAULTS} more)` : ""
  return {
    id: "sites_file_faulty",
    severity: "trouble",
    message: clean(
      `The configuration has ${plural(faults.length, "fault")}, the previous one stays active: ${shown.join("; ")}${more}`,
    ),
    todo: `Mend ${sitesFile}, or the file that is named: it is read again when it changes. fedstack check sites shows every fault.`,
  }
}

function drift(about: ShardCircumstances): Undated | undefined {
  const { edited, missing, shard } = about
  if (edited !== undefined) {
    return {
      id: "config_edited",
      severity: "attention",
      message: `${edited} is not what the portal wrote: it was changed or removed since.`,
      todo: "Put changes into sites.yaml or the base configuration; the portal writes the file again at the next change, or on SIGHUP.",
    }
  }
  if (missing === undefined || missing.jobs === 0) return undefined
  if (missing.jobs === missing.of) {
    const flags = shard === undefined ? ["--prometheus.config-dir", "--prometheus.url"] : ["its folder", "its URL"]
    return {
      id: "other_configuration",
      severity: "trouble",
      message: `${nameOf(about)} has the job of no site: it does not read the configuration that the portal writes.`,
      todo: `Compare --config.file of Prometheus with ${flags.join(", and ")} with the Prometheus that is meant.`,
    }
  }
  return {
    id: "jobs_missing",
    severity: "attention",
    message: `${nameOf(about)} has no job for ${plural(missing.jobs, "site")}, though it accepted the configuration.`,
    todo: 'Its log has the reason under "error creating new scrape pool": mostly a file that it cannot read.',
  }
}

const stillThere = ({ name, folder, sites }: FormerShard): Undated => ({
  id: "shard_gone",
  severity: "attention",
  message: `${folder} still has the configuration of ${name}, which is no longer a --prometheus.shard: a Prometheus that reads it scrapes ${plural(sites, "site")} beside the present ones.`,
  todo: "End that Prometheus, then delete the folder; or give the shard again.",
  shard: name,
})

function sharedBanner({ shared }: Circumstances): Undated | undefined {
  if (shared === undefined) return undefined
  const { message, todo, since } = shared
  return { id: "shared_cause", severity: "trouble", message, todo, since }
}

/** For each site a connection and, while it changes, another; the rest are files of its data and its clients. */
const FILES = { ofSite: 2, besides: 200 }

function fewFiles(about: ShardCircumstances): Undated | undefined {
  const { maxFiles, sites } = about
  const needed = FILES.ofSite * sites + FILES.besides
  if (maxFiles === undefined || maxFiles >= needed) return undefined
  return {
    id: "few_file_descriptors",
    severity: "attention",
    message: `${nameOf(about)} may open ${maxFiles} files, and needs some ${needed} for ${plural(sites, "site")}.`,
    todo: "Raise its limit (LimitNOFILE, ulimits.nofile) before scrapes fail with too many open files.",
  }
}

/** Notes since when each is there. The same objects while nothing changes. */
export function datedBanners() {
  let before: readonly Banner[] = []
  return (found: readonly Undated[], now: Date): readonly Banner[] => {
    const next = found.map((banner): Banner => {
      const same = before.find(({ id, shard }) => id === banner.id && shard === banner.shard)
      const since = banner.since ?? same?.since ?? now
      return same?.message === banner.message && same.since.getTime() === since.getTime() ? same : { ...banner, since }
    })
    const isSame = next.length === before.length && next.every((banner, index) => banner === before[index])
    return isSame ? before : (before = next)
  }
}
