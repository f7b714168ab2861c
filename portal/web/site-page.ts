import { moment, span } from "../diagnosis/words.ts"
import { type Overview, type SiteChange, type SiteDetails, type SiteStatus, STATE_NAMES } from "../status/overview.ts"
import { checklist } from "./checklist.ts"
import { curlCommand } from "./curl.ts"
import { headline } from "./headline.ts"
import { cut, type Html, markup } from "./html.ts"
import { icon } from "./icons.ts"
import { document, type Frame } from "./layout.ts"
import { letter } from "./letter.ts"
import { siteLink } from "./links.ts"
import { ago, duration, lastDelivery, placeOf, series } from "./row.ts"
import { pushConfig } from "./push-config.ts"
import { strip, stripInWords } from "./strip.ts"

/** All that is known of a site, as a page of its own. */
export function sitePage(frame: Frame, overview: Overview, details: SiteDetails, now: Date, notice?: string): Html {
  const { name, state } = details.status
  return document(frame, {
    title: `${cut(name, 100)}: ${STATE_NAMES[state].toLowerCase()}`,
    mood: headline(overview).mood,
    main: markup`<p class="back"><a href="/">All sites</a></p>
${siteArticle(details, frame.links, now, notice)}`,
    footer: markup`<a href="/api/v1${siteLink(name)}">JSON</a>`,
  })
}

/** The same as a fragment, for a panel beside the list. */
export function siteArticle(details: SiteDetails, links: Frame["links"], now: Date, notice?: string): Html {
  const { status } = details
  const { name, state, reason, todo } = status
  const place = placeOf(status)
  const [mail, command] = [letter(details, links.push), curlCommand(details)]
  return markup`<article id="site" class="site" data-site="${cut(name, 100)}" data-state="${state}" aria-labelledby="site-title">
<h1 id="site-title">${cut(name, 100)}${place !== "" && markup` <span class="place">${place}</span>`}</h1>
<p class="state-line s-${state}">${icon(state)}<span>${STATE_NAMES[state]} for ${ago(status.since, now, "span")}</span>${state === "unknown" && markup` <span>Last known: ${STATE_NAMES[status.lastState].toLowerCase()}</span>`}</p>
${
  reason !== null &&
  markup`<p class="lead">${cut(reason, 2000)}</p>
`
}${
    todo !== null &&
    markup`<p class="todo">${cut(todo, 2000)}</p>
`
  }
<dl class="figures">
<div>
<dt>Last delivery</dt>
<dd>${lastDelivery(status, now)}</dd>
</div>
<div>
<dt>Series</dt>
<dd>${series(status)}</dd>
</div>
<div>
<dt>Duration</dt>
<dd>${duration(status)}</dd>
</div>
<div class="wide">
<dt>24 h</dt>
<dd>${strip(status)}<small aria-hidden="true">${stripInWords(status)}</small></dd>
</div>
</dl>
${elsewhere(status, links)}
<div class="columns">
${details.pushes === undefined ? checks(details, now, notice) : pushes(details, links)}
<div class="ready">
${command !== undefined && copyable("curl", "See it yourself", command)}
${mail !== undefined && copyable("letter", "Tell the site's admin", mail)}
</div>
<div>
<section aria-labelledby="changes-title">
<h2 id="changes-title">Last changes</h2>
${history(details.changes)}
</section>
<section aria-labelledby="config-title">
<h2 id="config-title">Configuration</h2>
${configuration(details, now)}
</section>
</div>
</div>
</article>`
}

const checks = ({ status: { name, reason }, report }: SiteDetails, now: Date, notice: string | undefined): Html =>
  markup`<section id="checks" aria-labelledby="checks-title">
<h2 id="checks-title">Check</h2>
<form method="post" action="${siteLink(name)}/check" class="check" data-check="/api/v1${siteLink(name)}/check">
<button type="submit">Check now</button><span class="soft" role="status">${notice}</span>
</form>
${checklist(report, reason, now)}
</section>`

const pushes = (details: SiteDetails, { push }: Frame["links"]): Html =>
  markup`<div>
${copyable("remote-write", "What its prometheus.yml has", pushConfig(details, push))}
<p class="soft">The file has the token of the site, which the portal does not know: sites.yaml holds its hash.</p>
</div>`

/** Where to look further: what arrives of the site, and its dashboard. */
function elsewhere({ name, shard }: SiteStatus, links: Frame["links"]): Html | false {
  const { prometheusOf = shard, grafana } = links
  // another Prometheus shows none of its series
  const prometheus = prometheusOf === shard ? links.prometheus : undefined
  if (prometheus === undefined && grafana === undefined) return false
  const expression = `count by (__name__, job) ({site=${JSON.stringify(name)}})`
  const query = new URLSearchParams({ "g0.expr": expression, "g0.tab": "1" })
  const board = new URLSearchParams({ "var-site": name })
  return markup`<p class="elsewhere">${prometheus !== undefined && markup`<a href="${prometheus}/graph?${cut(query.toString(), 1000)}">Its series in Prometheus</a> `}${grafana !== undefined && markup`<a href="${grafana}/d/${DASHBOARD}?${cut(board.toString(), 1000)}">Its dashboard in Grafana</a>`}</p>`
}

/** The uid of the dashboard of all sites, which has a variable `site`. */
const DASHBOARD = "fedstack-sites"

const copyable = (id: string, title: string, text: string): Html =>
  markup`<section aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
<pre id="${id}" tabindex="0" aria-labelledby="${id}-title">
${cut(text, 20_000)}</pre>
<button type="button" class="copy" data-copy="${id}" hidden>Copy</button>
</section>`

function history(changes: readonly SiteChange[]): Html {
  if (changes.length === 0) return markup`<p class="soft">None is known.</p>`
  return markup`<ol class="changes">
${changes.slice(0, 20).map(
  ({ at, until, count, state, reason, text }) =>
    markup`<li><time datetime="${iso(at)}">${moment(at)}</time><span class="s-${state}">${icon(state)}<span>${STATE_NAMES[state]}</span></span>${reason !== null && markup`<span class="reason">${cut(reason, 2000)}</span>`}${count > 1 && markup`<span class="soft">${String(count)} times, the last at ${moment(until)}</span>`}${
      text !== null &&
      markup`<details>
<summary>What Prometheus reported</summary>
<pre>${cut(text, 2048)}</pre>
</details>`
    }</li>`,
)}
</ol>`
}

const iso = (at: Date): string => (Number.isNaN(at.getTime()) ? "" : at.toISOString())

function configuration(details: SiteDetails, now: Date): Html {
  const { status, match, where, credentials, tls, proxyUrl, paused, tokenExpires, certificateExpires } = details
  const file = credentials.file === undefined ? "" : `, from ${credentials.file}`
  const rows: readonly (readonly [string, Html | string | undefined])[] = [
    ["Listed in", where],
    ["Requests", details.pushes === undefined ? status.url && `${status.url}/federate` : undefined],
    ["Writes", details.pushes && `to fedstack tenancy-proxy${forTenant(details.pushes.tenant)}`],
    ["Selectors", markup`${match.map((selector) => markup`<code>${cut(selector, 2000)}</code><br>`)}`],
    ["Interval", intervalOf(details)],
    ["Scraped by", details.pushes === undefined ? status.shard : undefined],
    ["Labels", markup`${labels(status)}`],
    [details.pushes === undefined ? "Sends" : "Known by", `${credentials.kind}${file}`],
    ["Token ends", ends(tokenExpires, now)],
    ["Certificate ends", ends(certificateExpires, now)],
    ["CA file", tls.caFile],
    ["Client certificate", tls.certFile],
    ["Name in certificate", tls.serverName],
    ["Through", proxyUrl],
    ["Paused", paused && pausedInWords(paused)],
    paused === undefined
      ? ["To pause it", markup`<code>fedstack site pause ${cut(status.name, 100)} --why "…"</code>`]
      : ["To resume it", markup`<code>fedstack site resume ${cut(status.name, 100)}</code>`],
  ]
  return markup`<dl class="rows">
${rows
  .map(
    ([name, value]) =>
      value !== undefined &&
      markup`<dt>${name}</dt>
<dd>${typeof value === "string" ? cut(value, 2000) : value}</dd>`,
  )
  .filter((one) => one !== false)}
</dl>`
}

const forTenant = (tenant: string | undefined): string => (tenant === undefined ? "" : `, for the tenant ${tenant}`)

const intervalOf = ({ status, pushes: pushing }: SiteDetails): string =>
  pushing === undefined
    ? `every ${span(status.intervalSeconds)}, for at most ${span(status.timeoutSeconds)}`
    : `it is expected to write every ${span(status.intervalSeconds)}`

const labels = ({ labels: of }: SiteStatus): readonly Html[] =>
  Object.entries(of).map(([name, value]) => markup`<code>${cut(name, 200)}="${cut(value, 200)}"</code><br>`)

function ends(at: Date | undefined, now: Date): string | undefined {
  if (at === undefined) return undefined
  const seconds = (at.getTime() - now.getTime()) / 1000
  return `${moment(at)}, ${seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`}`
}

function pausedInWords({ by, at, why }: NonNullable<SiteDetails["paused"]>): string {
  return [
    by !== undefined && `by ${by}`,
    at !== undefined && `on ${moment(at)}`,
    why !== undefined && `because: ${why}`,
  ]
    .filter(Boolean)
    .join(", ")
}

/** What came of a form's check that did not take place; only known words of the URL are shown. */
export function checkNotice(kind: string | null): string | undefined {
  if (kind === "too_soon") return "It was checked a moment ago. Try again in a few seconds."
  return kind === "busy" ? "Too many sites are being checked. Try again in a few seconds." : undefined
}

export function notThatSite(frame: Frame, overview: Overview, name: string): Html {
  return document(frame, {
    title: "No such site",
    mood: headline(overview).mood,
    main: markup`<h1>No site is called “${cut(name, 100)}”.</h1>
<p class="sub">It is not listed in sites.yaml, or no longer. <a href="/">All sites</a></p>`,
  })
}
