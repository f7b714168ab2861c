import type { Labels } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { absencesIn } from "../absences.ts"
import type { Cloud, DomainFilter } from "../cloud.ts"
import type { Pool } from "../simple-vm.ts"
import type { Api } from "./api.ts"
import { readPoolTags, type Tags } from "./pool-tags.ts"
import { listProjects } from "./projects.ts"
import { openQuotas } from "./quotas.ts"
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
}

/** The usage of one region, read from Nova and joined with the names that Keystone knows. */
export function openStackCloud(api: Api, options: OpenStackOptions): Cloud {
  const { labels, pool, tags, now, log } = options
  const quotas = openQuotas(api, { every: options.quotaInterval, now })
  return {
    async usage(period, begin, signal) {
      let untagged = 0
      const readUsage = async (ending: AbortSignal) => {
        // first the tags: a server that is deleted meanwhile then still has one
        if (pool !== undefined) await readPoolTags(api, pool, tags, ending)
        return listUsage(api, period, { now, signal: ending }, () => {
          const add = begin()
          untagged = 0
          return (projectId, serverId, server) => {
            if (projectId !== pool?.projectId) return add(projectId, server)
            const tag = tags.of(serverId)
            if (tag === undefined) untagged += 1
            else add(projectId, server, tag)
          }
        })
      }
      const [{ domains, projects }, { clockLead, present, repeated }] = await together(signal, (ending) => [
        listProjects(api, options, ending),
        readUsage(ending),
      ])
      if (repeated.length > 0)
        log.warn({ ...labels, servers: repeated.slice(0, 3) }, "Nova listed servers more than once; each counts once")
      const known = quotas(
        projects.map(({ id }) => id),
        signal,
      )
      const failure = quotas.failure()
      return {
        projects: projects.map((project) => ({ ...project, quota: known.get(project.id) })),
        missing: new Map(failure === undefined ? [] : [["quotas", failure]]),
        absent: absencesIn({ domains, projects }, options),
        clockLead,
        present,
        untagged: pool === undefined ? undefined : untagged,
        repeated: repeated.length,
      }
    },
  }
}

/** Waits for both; when one fails, the other is ended. */
async function together<T, U>(
  signal: AbortSignal,
  start: (ending: AbortSignal) => readonly [Promise<T>, Promise<U>],
): Promise<[T, U]> {
  const ending = new AbortController()
  try {
    return await Promise.all(start(AbortSignal.any([signal, ending.signal])))
  } finally {
    ending.abort()
  }
}
