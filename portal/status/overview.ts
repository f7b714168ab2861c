import type { ProbeReport } from "../diagnosis/probe-report.ts"

/** In the order in which the page lists them. */
export const STATES = ["down", "stale", "attention", "waiting", "ok", "paused", "unknown"] as const
export type State = (typeof STATES)[number]

/** The words of the page for a state. */
export const STATE_NAMES: Readonly<Record<State, string>> = {
  down: "Not delivering",
  stale: "Stale",
  attention: "Needs attention",
  waiting: "Waiting",
  ok: "Delivering",
  paused: "Paused",
  unknown: "Unknown",
}

/** What the table shows of a site. Immutable: what did not change is the same object in the next overview. */
export interface SiteStatus {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Without a trailing slash and without /federate. */
  readonly url: string
  /** `unknown` while Prometheus cannot be requested; `lastState` then has what was known before. */
  readonly state: State
  readonly lastState: State
  /** The id of a cause; null where nothing is wrong. */
  readonly cause: string | null
  /** A few words for the cause, for chips. */
  readonly causeTitle: string | null
  readonly reason: string | null
  readonly todo: string | null
  readonly since: Date
  readonly lastDelivery: Date | null
  readonly series: number | null
  readonly seriesDayAgo: number | null
  readonly durationSeconds: number | null
  readonly timeoutSeconds: number
  readonly intervalSeconds: number
  /** 96 quarter hours, the oldest first; null where nothing was known. */
  readonly day: readonly (State | null)[]
  /** When `day` ends: the end of its last quarter hour. */
  readonly dayEnds: Date
  /** The Prometheus that scrapes it. */
  readonly shard: string
}

/** One above all: what concerns more than a site. */
export interface Banner {
  /** Such as `prometheus_unreachable`, `config_refused`, `config_not_written`, `sites_file_faulty`, `shared_cause`. */
  readonly id: string
  readonly severity: "trouble" | "attention"
  readonly message: string
  readonly todo: string
  readonly since: Date
  /** The Prometheus that it concerns, where there may be several. */
  readonly shard?: string
}

/** All that the page shows at one moment. */
export interface Overview {
  readonly asOf: Date
  /** In the order of sites.yaml. */
  readonly sites: readonly SiteStatus[]
  /** The most important one, and those behind it. */
  readonly banners: readonly Banner[]
  /** When Prometheus last confirmed the configuration of sites.yaml; null where it never did. */
  readonly configConfirmed: Date | null
  /** Names of the rule files in it that the portal writes. */
  readonly ruleFiles: readonly string[]
  /** When Prometheus last responded; null where it never did. */
  readonly prometheusSeen: Date | null
}

/** Equal changes that follow each other are one with a count. */
export interface SiteChange {
  readonly at: Date
  /** When the last of them was seen. */
  readonly until: Date
  readonly count: number
  readonly state: State
  readonly cause: string | null
  readonly reason: string | null
  /** Prometheus' own words, cut at 2 kB, without control characters. */
  readonly text: string | null
}

/** What the page of a site shows besides its row. */
export interface SiteDetails {
  readonly status: SiteStatus
  /** What the site's admin does about it; null where nothing. */
  readonly todoAtSite: string | null
  /** The last probe; undefined before the first. */
  readonly report: ProbeReport | undefined
  /** The newest first, at most 20. */
  readonly changes: readonly SiteChange[]
  readonly match: readonly string[]
  /** Such as `sites.yaml:12:5`. */
  readonly where: string
  readonly credentials: SentCredentials
  readonly tls: {
    readonly caFile: string | undefined
    readonly certFile: string | undefined
    readonly keyFile: string | undefined
    readonly serverName: string | undefined
  }
  readonly proxyUrl: string | undefined
  /** Undefined where the portal requests it. */
  readonly pushes?: { readonly tenant: string | undefined } | undefined
  readonly paused: { readonly by?: string; readonly at?: Date; readonly why?: string } | undefined
  readonly tokenExpires: Date | undefined
  readonly certificateExpires: Date | undefined
}

/** What a site is sent to know the portal by; never the secret itself. */
export interface SentCredentials {
  /** For people, such as `a bearer token`. */
  readonly kind: string
  /** How curl would send what the file has; `oauth2` needs a token first. */
  readonly method: "bearer" | "basic" | "oauth2" | "none"
  /** Where the secret stands for the portal; undefined where it is in a variable, or there is none. */
  readonly file: string | undefined
  /** Of `basic`. */
  readonly user?: string
  /** In place of Bearer. */
  readonly scheme?: string
  /** For whom the portal signs it. */
  readonly audience?: string
}

/** What came of a request to check a site now. */
export type CheckResult =
  | { readonly kind: "checked"; readonly report: ProbeReport }
  | { readonly kind: "too_soon"; readonly retryAfter: number }
  | { readonly kind: "busy"; readonly retryAfter: number }
  | { readonly kind: "unknown_site" }
  /** It pushes: there is nothing to probe. */
  | { readonly kind: "not_requested" }

/** Offered to the page, the API and the metrics; the state behind it changes by itself. */
export interface StatusSource {
  current(): Overview
  site(name: string): SiteDetails | undefined
  /** Probes a site, at most once in 10 s each; rejects never. */
  check(name: string, signal: AbortSignal): Promise<CheckResult>
  /** Called after every change of `current()` or of a site's details, with the names whose rows changed. Returns how to end it. */
  subscribe(changed: (names: ReadonlySet<string>) => void): () => void
}
