import type { Server } from "./usage.ts"

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

/** What shows in a list of servers beside their usage. */
export interface Observations {
  /** Seconds by which the cloud's clock is ahead of ours, where it is known. */
  readonly clockLead?: number | undefined
  /** Servers of the pool that are left out because they have no tag. */
  readonly untagged?: number | undefined
  /** Servers that were listed more than once. */
  readonly repeated?: number | undefined
}

export interface CloudReading extends Observations {
  readonly projects: readonly Project[]
  /** What else was to be read and was not, with the reason: usage is whole. */
  readonly missing?: ReadonlyMap<string, string>
  /** What the settings name and this cloud does not have, with the reason: the rest is complete. */
  readonly absent: ReadonlyMap<string, string>
  /** The cloud's own present to a second, in Unix time, where it is known: the cloud knows nothing of later. */
  readonly present?: number | undefined
}

/** Takes the servers of projects one by one; of a pool, with the part that they belong to. */
export type AddServer = (projectKey: string, server: Server, part?: string) => void

/** Where usage comes from. */
export interface Cloud {
  /**
   * The wanted projects, and all servers that exist or existed within the period, complete, or an error. `begin` is called
   * before the first server, and again where the list has to be read from its beginning.
   */
  usage(period: Period, begin: () => AddServer, signal: AbortSignal): Promise<CloudReading>
}
