import type { ProbeReport } from "./probe-report.ts"

/** A report as the API and `fedstack doctor --json` have it. */
export function reportValue(report: ProbeReport) {
  return {
    site: report.site,
    at: rfc3339(report.at),
    stages: report.stages.map(({ stage, outcome, detail, seconds }) => ({
      stage,
      outcome,
      detail: detail ?? null,
      seconds: seconds ?? null,
    })),
    findings: report.findings.map(({ cause, reason, todo }) => ({ cause: cause.id, reason, todo })),
    certificate_expires: rfc3339(report.certificateExpires),
    token_expires: rfc3339(report.tokenExpires),
    clock_skew_seconds: report.clockSkew ?? null,
    newest_sample: rfc3339(report.newestSample),
    series: report.series ?? null,
  }
}

/** With fractions only where there are any; null where it is not known. */
export function rfc3339(at: Date | null | undefined): string | null {
  if (at === null || at === undefined || Number.isNaN(at.getTime())) return null
  return at.toISOString().replace(".000Z", "Z")
}
