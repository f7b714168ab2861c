import { type ProbeReport, STAGES } from "../diagnosis/probe-report.ts"
import type { CheckResult, Overview, SiteChange, SiteDetails, SiteStatus, StatusSource } from "../status/overview.ts"
import { before, NOW } from "./fake-sites.testing.ts"

/** A status that tests change as they like. */
export interface FakeSource extends StatusSource {
  /** Replaces what is known of a site, and tells subscribers. */
  change(name: string, patch: Partial<SiteStatus>): void
  /** Replaces more than sites: banners, times, the list itself. */
  replace(patch: Partial<Overview>): void
  /** Replaces what only the page of a site shows. */
  changeDetails(name: string, patch: Partial<SiteDetails>): void
  /** What the next check comes to, in place of a report in which all passes. */
  nextCheck(result: CheckResult): void
  readonly checks: readonly string[]
}

export function fakeSource(sites: readonly SiteStatus[], now: () => Date = () => NOW): FakeSource {
  const subscribers = new Set<(names: ReadonlySet<string>) => void>()
  const details = new Map<string, Partial<SiteDetails>>()
  const planned: CheckResult[] = []
  const checks: string[] = []
  let overview: Overview = {
    asOf: now(),
    sites,
    banners: [],
    configConfirmed: new Date(now().getTime() - 252_000),
    ruleFiles: ["sites.yml", "usage.yml"],
    prometheusSeen: now(),
  }
  const tell = (names: ReadonlySet<string>): void => {
    for (const changed of subscribers) changed(names)
  }
  const found = (name: string): SiteStatus | undefined => overview.sites.find((site) => site.name === name)
  return {
    current: () => overview,
    site(name) {
      const status = found(name)
      return status && { ...fakeDetails(status, now()), ...details.get(name), status }
    },
    check(name) {
      checks.push(name)
      if (found(name) === undefined) return Promise.resolve({ kind: "unknown_site" })
      return Promise.resolve(planned.shift() ?? { kind: "checked", report: fakeReport(name, now()) })
    },
    subscribe(changed) {
      subscribers.add(changed)
      return () => subscribers.delete(changed)
    },
    change(name, patch) {
      overview = {
        ...overview,
        asOf: now(),
        sites: overview.sites.map((site) => (site.name === name ? { ...site, ...patch } : site)),
      }
      tell(new Set([name]))
    },
    replace(patch) {
      const names = patch.sites?.map(({ name }) => name) ?? []
      overview = { ...overview, asOf: now(), ...patch }
      tell(new Set(names))
    },
    changeDetails(name, patch) {
      details.set(name, { ...details.get(name), ...patch })
      tell(new Set([name]))
    },
    nextCheck: (result) => void planned.push(result),
    checks,
  }
}

function fakeReport(site: string, now: Date): ProbeReport {
  const seen = [
    "192.0.2.14, 2001:db8::14",
    "192.0.2.14:443",
    "TLS 1.3, valid until 6 Dec 2026",
    "accepted",
    "1 of 1 shared",
    "200, 1.2 MiB",
    "2,204 series",
    "newest sample 4 s old",
  ]
  return {
    site,
    at: before(now, 9),
    stages: STAGES.map((stage, index) => ({
      stage,
      outcome: "passed" as const,
      detail: seen[index] ?? "",
      seconds: 0.003 * (index + 1) ** 2,
    })),
    findings: [],
    clockSkew: 0.1,
    series: 2204,
  }
}

/** What a failed stage keeps the later ones from. */
function fakeFailure(status: SiteStatus, now: Date): ProbeReport {
  const report = fakeReport(status.name, now)
  const failing = (
    {
      tls_expired: 2,
      unauthorized: 3,
      name_not_found: 0,
      forbidden: 4,
      timeout: 5,
      stale: 7,
      samples_ahead: 7,
    } as Record<string, number>
  )[status.cause ?? ""]
  if (failing === undefined || status.cause === null) return report
  const { reason, todo } = status
  const cause = { id: status.cause, title: status.causeTitle ?? "", sentence: reason ?? "", todo: todo ?? "" }
  return {
    ...report,
    stages: report.stages.map((stage, index) =>
      index < failing
        ? stage
        : index === failing
          ? { ...stage, outcome: "failed", detail: status.causeTitle ?? "" }
          : { stage: stage.stage, outcome: "not_reached" },
    ),
    findings: [{ cause, details: {}, reason: reason ?? "", todo: todo ?? "" }],
  }
}

function fakeDetails(status: SiteStatus, now: Date): SiteDetails {
  const host = status.url.replace(/^https:\/\//, "")
  const failed: SiteChange = {
    at: status.since,
    until: before(now, 9),
    count: 412,
    state: status.state,
    cause: status.cause,
    reason: status.reason,
    text: status.state === "down" ? `Get "https://${host}/federate?match[]=…": ${status.causeTitle ?? ""}` : null,
  }
  const delivered: SiteChange = {
    at: before(status.since, 2 * 86_400),
    until: before(status.since, 2 * 86_400),
    count: 1,
    state: "ok",
    cause: null,
    reason: null,
    text: null,
  }
  return {
    status,
    todoAtSite: status.todo === null ? null : "Renew the certificate of your proxy.",
    report: status.state === "waiting" ? undefined : fakeFailure(status, now),
    changes: [failed, delivered],
    match: ['{job="project_usages",__name__=~"project_.*_usage"}'],
    where: "sites.yaml:12:5",
    credentials: { kind: "a bearer token", method: "bearer", file: `tokens/${status.name}` },
    tls: { caFile: "ca.pem", certFile: undefined, keyFile: undefined, serverName: undefined },
    proxyUrl: undefined,
    paused: status.state === "paused" ? { by: "mm", at: status.since, why: "data centre move" } : undefined,
    tokenExpires: undefined,
    certificateExpires: before(now, -6 * 86_400),
  }
}
