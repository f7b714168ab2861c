import type { Labels } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Cloud, type Domain, type DomainFilter, missingDomains, type Project, type Server } from "../cloud.ts"
import type { Pool } from "../simple-vm.ts"
import type { Api } from "./api.ts"
import { readPoolTags } from "./pool-servers.ts"
import { type ListedProject, listProjects } from "./projects.ts"
import { openQuotas } from "./quotas.ts"
import type { Tags } from "./tags.ts"
import { listUsage } from "./usage-list.ts"

export interface OpenStackOptions {
  readonly labels: Labels
  readonly filter: DomainFilter
  readonly pool: Pool | undefined
  readonly tags: Tags
  readonly properties: readonly string[]
  /** Seconds; undefined: quotas are not read. */
  readonly quotaInterval?: number | undefined
  readonly now: () => Date
  readonly log: Logger
  /** Servers on a page of Nova's lists. */
  readonly limit?: number
}

/** The usage of one region, read from Nova and joined with the names that Keystone knows. */
export function openStackCloud(api: Api, options: OpenStackOptions): Cloud {
  const { labels, pool, tags, now, log, limit } = options
  const paging = limit === undefined ? {} : { limit }
  const quotas = openQuotas(api, { every: options.quotaInterval, labels, now, log })
  const tellMissing = missingDomainsTeller(options)
  return {
    async usage(period, signal) {
      let untagged = 0
      const readUsage = async (ending: AbortSignal) => {
        // first the tags: a server that is deleted meanwhile then still has one
        if (pool !== undefined) await readPoolTags(api, pool, tags, { signal: ending, ...paging })
        const metadataOf = (projectId: string, serverId: string): Server["metadata"] => {
          if (projectId !== pool?.projectId) return NO_METADATA
          const tag = tags.of(serverId)
          if (tag !== undefined) return { [pool.tag]: tag }
          untagged += 1
          return NO_METADATA
        }
        return listUsage(api, period, { now, signal: ending, metadataOf, ...paging })
      }
      const [identities, usage] = await together(signal, (ending) => [
        listProjects(api, options, ending),
        readUsage(ending),
      ])
      if (usage.twice.length > 0)
        log.warn(
          { ...labels, servers: usage.twice.slice(0, 3) },
          "Nova listed servers more than once; each counts once",
        )
      tellMissing(identities.domains)
      const known = quotas(
        identities.projects.map(({ id }) => id),
        signal,
      )
      const projects = identities.projects.map((project) => ({
        ...joined(project, usage.projects.get(project.id)),
        quota: known.get(project.id),
      }))
      return {
        projects,
        clockLead: usage.clockLead,
        present: usage.present,
        untagged: pool === undefined ? undefined : untagged,
        repeated: usage.twice.length,
      }
    },
  }
}

const NO_METADATA = {}

/** Warns of domains that are asked for and not there, again only when these are others. */
function missingDomainsTeller({ filter, labels, log }: OpenStackOptions): (domains: readonly Domain[]) => void {
  let told = ""
  return (domains) => {
    const missing = missingDomains(domains, filter)
    const there = domains.map(({ name }) => name)
    if (missing.length > 0 && missing.join() !== told)
      log.warn({ ...labels, missing, there }, "there is no such domain; see --domain and --domain-id")
    told = missing.join()
  }
}

function joined({ id, name, domain, properties }: ListedProject, servers: readonly Server[] = []): Project {
  return { key: id, id, name, domainId: domain.id, domainName: domain.name, servers, properties }
}

/** Waits for all; when one fails, the others are ended. */
async function together<const T extends readonly Promise<unknown>[]>(
  signal: AbortSignal,
  start: (ending: AbortSignal) => T,
): Promise<{ -readonly [Key in keyof T]: Awaited<T[Key]> }> {
  const ending = new AbortController()
  try {
    return await Promise.all(start(AbortSignal.any([signal, ending.signal])))
  } finally {
    ending.abort()
  }
}
