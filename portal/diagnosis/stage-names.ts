import type { Stage } from "./probe-report.ts"

/** The words for the stages of a probe. */
export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  name: "Name",
  connection: "Connection",
  tls: "TLS",
  token: "Token",
  selectors: "Selectors",
  response: "Response",
  exposition: "Exposition",
  freshness: "Freshness",
}
