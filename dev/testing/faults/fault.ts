import type { Closable } from "#core/closable.ts"
import type { Version } from "../prometheus.ts"

/** An entry of sites.yaml without its name; the names of files in it are those of `files`. */
export interface SiteEntry {
  readonly url: string
  readonly [key: string]: unknown
}

/** A site that is faulty now, and until it is closed. */
export interface FaultySite extends Closable {
  readonly entry: SiteEntry
  /** To be written beside sites.yaml; the same for all faults where the name is the same. */
  readonly files: Readonly<Record<string, string>>
  /** Of sites.yaml as a whole: `limits`. */
  readonly limits?: Readonly<Record<string, unknown>> | undefined
  /** Of the portal's base configuration: `global`. */
  readonly global?: Readonly<Record<string, unknown>> | undefined
  /** To be done when the portal has written what Prometheus reads, and before Prometheus is started (again). */
  readonly spoil?: ((configDir: string, site: string) => Promise<void>) | undefined
}

/** How to produce one cause. */
export interface Fault {
  /** Starts what the faulty site is, on 127.0.0.1. */
  start(): Promise<FaultySite>
  /** Only within one of namespace.ts: it needs its name server and routes. */
  readonly needsNamespace?: true
  /** The versions of Prometheus that it disturbs, where not all. */
  readonly versions?: readonly Version[]
}

/** A token as the portal may send it. */
export const TOKEN = "fault-4b1c9e7d20a85f63"
export const TOKEN_FILES = { "fault.token": `${TOKEN}\n` } as const
export const WITH_TOKEN = { token: { file: "fault.token" } } as const

export const nothingToClose = (): Promise<void> => Promise.resolve()
