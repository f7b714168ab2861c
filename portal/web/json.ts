import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { reportValue, rfc3339 } from "../diagnosis/report-json.ts"
import type { Overview, SiteChange, SiteDetails, SiteStatus } from "../status/overview.ts"
import type { Assets } from "./assets.ts"
import { countStates, headline } from "./headline.ts"
import { titleOf } from "./layout.ts"

/** A site in the list of the API. */
function siteJson(site: SiteStatus) {
  return {
    name: site.name,
    labels: site.labels,
    url: site.url,
    state: site.state,
    cause: site.cause,
    reason: site.reason,
    todo: site.todo,
    since: rfc3339(site.since),
    last_delivery: rfc3339(site.lastDelivery),
    series: site.series,
    series_day_ago: site.seriesDayAgo,
    duration_seconds: site.durationSeconds,
    shard: site.shard,
  }
}

const memory = new WeakMap<SiteStatus, string>()

function serialized(site: SiteStatus): string {
  let text = memory.get(site)
  if (text === undefined) memory.set(site, (text = JSON.stringify(siteJson(site))))
  return text
}

/** What did not change since the last overview is not written again. */
export const listJson = (sites: readonly SiteStatus[], asOf: Date): string =>
  `{"sites":[${sites.map(serialized).join(",")}],"as_of":${JSON.stringify(rfc3339(asOf))}}\n`

/** For tabs that are not looked at; it changes only when what they show does. */
export function summaryJson(overview: Overview, assets: Assets): string {
  const { title, mood } = headline(overview)
  const counts = { total: overview.sites.length, ...countStates(overview.sites) }
  const banners = overview.banners.map(({ since, ...banner }) => ({ ...banner, since: rfc3339(since) }))
  const config = { confirmed: rfc3339(overview.configConfirmed), rule_files: overview.ruleFiles }
  return `${JSON.stringify({ title: titleOf(title), mood, icon: assets.icons[mood], counts, banners, config })}\n`
}

export function detailsJson(details: SiteDetails): string {
  const { status, report, changes, match, where, credentials, tls, proxyUrl, paused, pushes } = details
  return `${JSON.stringify({
    ...siteJson(status),
    last_state: status.lastState,
    interval_seconds: status.intervalSeconds,
    timeout_seconds: status.timeoutSeconds,
    day: status.day,
    day_ends: rfc3339(status.dayEnds),
    match,
    where,
    credentials: { kind: credentials.kind, file: credentials.file ?? null },
    tls: {
      ca_file: tls.caFile ?? null,
      cert_file: tls.certFile ?? null,
      key_file: tls.keyFile ?? null,
      server_name: tls.serverName ?? null,
    },
    proxy_url: proxyUrl ?? null,
    pushes: pushes === undefined ? null : { tenant: pushes.tenant ?? null },
    paused: paused === undefined ? null : { by: paused.by ?? null, at: rfc3339(paused.at), why: paused.why ?? null },
    token_expires: rfc3339(details.tokenExpires),
    certificate_expires: rfc3339(details.certificateExpires),
    report: report === undefined ? null : reportValue(report),
    changes: changes.map(changeValue),
  })}\n`
}

export const reportJson = (report: ProbeReport): string => `${JSON.stringify(reportValue(report))}\n`

const changeValue = ({ at, until, count, state, cause, reason, text }: SiteChange) => ({
  at: rfc3339(at),
  until: rfc3339(until),
  count,
  state,
  cause,
  reason,
  text,
})
