import type { Finding } from "./cause.ts"

/** The way of a scrape, in its order. */
export const STAGES = [
  "name",
  "connection",
  "tls",
  "token",
  "selectors",
  "response",
  "exposition",
  "freshness",
] as const
export type Stage = (typeof STAGES)[number]

export interface StageResult {
  readonly stage: Stage
  /** `skipped`: it does not apply, as TLS where the url is http://. */
  readonly outcome: "passed" | "failed" | "not_reached" | "skipped"
  /** What was seen, in a few words, such as `192.0.2.14, 2001:db8::14`; never a secret. */
  readonly detail?: string
  readonly seconds?: number
}

/** What a probe saw. It is the same for the page, `fedstack doctor` and the API. */
export interface ProbeReport {
  readonly site: string
  readonly at: Date
  /** All of STAGES, in their order. */
  readonly stages: readonly StageResult[]
  /** Undefined where everything passed. The first is the worst; the others are seen besides. */
  readonly findings: readonly Finding[]
  /** The end of the site's certificate. */
  readonly certificateExpires?: Date
  /** The end of the token that was sent, where it says so itself. */
  readonly tokenExpires?: Date
  /** Seconds that the site's clock is ahead of the portal's, by the header Date; negative: behind. */
  readonly clockSkew?: number
  /** The newest sample that was seen. */
  readonly newestSample?: Date
  /** Series in the response; undefined where it was cut at the probe's limit. */
  readonly series?: number
}
