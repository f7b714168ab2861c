/** A server as its cloud accounts for it. */
export interface Server {
  readonly vcpus: number
  /** Memory in MiB, as in a flavor. */
  readonly memoryMb: number
  /** Disk in GiB, as in a flavor. */
  readonly diskGb: number
  /** Hours that it existed within the period. 0 or less counts nothing. */
  readonly hours: number
  /** When it was started, in Unix time; this chooses its weights. */
  readonly startedAt: number
  /** When it ended, in Unix time; Infinity while it lives. */
  readonly endedAt: number
  readonly metadata: Readonly<Record<string, string>>
}

/** What a project may have at most; Infinity where there is no limit. */
export interface Quota {
  readonly servers: number
  readonly vcpus: number
  readonly memoryMb: number
}

export interface Project {
  /** What its usage is remembered by: no other project's, and the same for all its life, however it is renamed. */
  readonly key: string
  readonly id: string
  readonly name: string
  readonly domainId: string
  readonly domainName: string
  readonly servers: readonly Server[]
  /** What else is known of it, by the names that its cloud uses, such as tags and `enabled`. */
  readonly properties: Readonly<Record<string, string>>
  readonly quota?: Quota | undefined
}

export interface Period {
  readonly start: Date
  readonly end: Date
}

/** Which projects are read: those of one domain by its id, else those of the domains named (by name or id), else all. */
export interface DomainFilter {
  readonly id: string | undefined
  readonly names: readonly string[]
}

export interface Domain {
  readonly id: string
  readonly name: string
}

export function isWanted(domain: Domain, { id, names }: DomainFilter): boolean {
  if (id !== undefined) return domain.id === id
  return names.length === 0 || names.includes(domain.name) || names.includes(domain.id)
}

/** What the filter asks for and the cloud has not, by name or id as it was asked. */
export function missingDomains(domains: readonly Domain[], { id, names }: DomainFilter): readonly string[] {
  if (id !== undefined) return domains.some((domain) => domain.id === id) ? [] : [id]
  return names.filter((name) => !domains.some((domain) => isWanted(domain, { id, names: [name] })))
}

/** What a list of servers tells beside their usage. */
export interface Remarks {
  /** Seconds by which the cloud's clock is ahead of ours, where it tells. */
  readonly clockLead?: number | undefined
  /** Of the pool, servers that belong to nobody because they have no tag. */
  readonly untagged?: number | undefined
  /** Servers that were listed more than once. */
  readonly repeated?: number | undefined
}

export interface Reading extends Remarks {
  readonly projects: readonly Project[]
  /** The cloud's own present to a second, in Unix time, where it tells: it knows nothing of later. */
  readonly present?: number | undefined
}

/** Where usage comes from. */
export interface Cloud {
  /** The servers of all wanted projects within the period, complete, or an error. */
  usage(period: Period, signal: AbortSignal): Promise<Reading>
}
