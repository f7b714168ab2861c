import { type Domain, type DomainFilter, isWanted, type Project } from "./cloud.ts"
import type { Pool } from "./simple-vm.ts"

/** What a cloud has of what the settings name. */
interface Present {
  readonly domains: readonly Domain[]
  /** Those of the wanted domains. */
  readonly projects: readonly Pick<Project, "id" | "name">[]
}

/** Domains in a message. */
const SHOWN = 10

/**
 * What the settings name and the cloud does not have, with the reason: a domain or a pool that is misspelt would otherwise
 * show no usage, and no sign of that.
 */
export function absencesIn(
  { domains, projects }: Present,
  { filter, pool }: { readonly filter: DomainFilter; readonly pool: Pool | undefined },
): ReadonlyMap<string, string> {
  const flag = filter.id === undefined ? "--domain" : "--domain-id"
  const shown = domains.slice(0, SHOWN).map(({ name, id }) => `${name} (${id})`)
  const more = domains.length > SHOWN ? ` and ${domains.length - SHOWN} more` : ""
  const existing = shown.length === 0 ? "" : `; there is ${shown.join(", ")}${more}`
  const absent = new Map(
    missingDomains(domains, filter).map((name) => [
      `domain ${name}`,
      `there is no such domain${existing}. Correct ${flag}`,
    ]),
  )
  if (pool !== undefined && !projects.some(({ id }) => id === pool.projectId)) {
    const named = projects.filter(({ name }) => name === pool.projectId).map(({ id }) => id)
    const hint = named.length === 0 ? "" : `; that is the name of ${named.join(", ")}`
    absent.set(
      `pool ${pool.projectId}`,
      `there is no project with this id in the exported domains${hint}. Correct --simple-vm-id`,
    )
  }
  return absent
}

/** Domains of the filter that the cloud does not have, by name or id as in the filter. */
function missingDomains(domains: readonly Domain[], { id, names }: DomainFilter): readonly string[] {
  if (id !== undefined) return domains.some((domain) => domain.id === id) ? [] : [id]
  return names.filter((name) => !domains.some((domain) => isWanted(domain, { id, names: [name] })))
}
