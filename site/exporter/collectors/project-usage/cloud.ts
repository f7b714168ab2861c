/** A server as its cloud accounts for it. */
export interface Server {
  readonly vcpus: number
  /** Memory in MiB, as in a flavor. */
  readonly memoryMb: number
  /** Hours that it existed within the period. 0 or less counts nothing. */
  readonly hours: number
  /** When it was started, in Unix time; this chooses its weights. */
  readonly startedAt: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface Project {
  readonly id: string
  readonly name: string
  readonly domainId: string
  readonly domainName: string
  readonly servers: readonly Server[]
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

/** Where usage comes from. */
export interface Cloud {
  /** The servers of all wanted projects within the period, complete, or an error. */
  usage(period: Period, signal: AbortSignal): Promise<readonly Project[]>
}
