import { count, moment, plural, shortTime, time } from "../diagnosis/words.ts"
import { type Banner, type Overview, type SiteStatus, type State, STATE_NAMES, STATES } from "../status/overview.ts"
import { DEFAULT_SORT, EVERYTHING, type Filter, matcher, sorted, type SortKey, toQuery } from "./filter.ts"
import { type Counts, countStates, headline } from "./headline.ts"
import { cut, type Html, markup } from "./html.ts"
import { icon } from "./icons.ts"
import { document, type Frame } from "./layout.ts"
import { ago, row } from "./row.ts"

/** The page of all sites. Rows that the filter leaves out are there, hidden: a browser that filters needs no request. */
export function page(frame: Frame, overview: Overview, filter: Filter, now: Date): Html {
  const { sites } = overview
  const { title, mood } = headline(overview)
  return document(frame, {
    title,
    mood,
    main: markup`<div id="summary">${summary(overview, now)}</div>
${sites.length === 0 ? noSites : list(sites, filter, now)}
<p id="say" class="unseen" role="status"></p>
<aside id="panel" tabindex="-1" aria-label="Site" hidden></aside>`,
    footer: markup`<span>${plural(sites.length, "site")}, ${plural(sum(sites), "series", "series")}</span><a href="/api/v1/sites${toQuery(filter)}">JSON</a><a href="/api/v1/openapi.json">API</a><a href="/metrics">Metrics</a>`,
  })
}

const sum = (sites: readonly SiteStatus[]): number => sites.reduce((series, site) => series + (site.series ?? 0), 0)

/** What stands above the list: it changes as a whole. */
export function summary(overview: Overview, now: Date): Html {
  const { banners, configConfirmed, ruleFiles } = overview
  const { first, rest } = headline(overview)
  const failing = overview.sites.some(({ state }) => state === "down" || state === "stale")
  const unknown = overview.sites.some(({ state }) => state === "unknown")
  return markup`${bannerOf(banners, now)}
<h1>${failing || unknown ? markup`<span class="${unknown ? "s-unknown" : "s-down"}">${first}</span>` : first}${rest !== "" && ` ${rest}`}</h1>
<p class="sub">${
    configConfirmed === null
      ? "Prometheus has not confirmed the configuration of sites.yaml yet."
      : markup`Prometheus confirmed the configuration of sites.yaml${ruleFiles.length > 0 && ` and ${plural(ruleFiles.length, "rule file", "rule files")}`} ${ago(configConfirmed, now, "ago")}, on ${moment(configConfirmed)}.`
  }
${shownAsOf(overview, now)}</p>
`
}

/** When it was so what stands below. Where there are several Prometheus, some of them may respond. */
function shownAsOf({ sites, asOf, prometheusSeen }: Overview, now: Date): Html {
  const present = markup`<time datetime="${asOf.toISOString()}">${time(asOf)}</time>`
  const unknown = sites.filter(({ state }) => state === "unknown").length
  if (unknown === 0 || prometheusSeen === null) return markup`Shown as of ${present}.`
  if (sites.some(({ state }) => state !== "unknown" && state !== "paused"))
    return markup`What is unknown is as of ${moment(prometheusSeen)}, ${ago(prometheusSeen, now, "ago")}; all else as of ${present}.`
  return markup`Prometheus last responded ${ago(prometheusSeen, now, "ago")}: what is below is as of ${moment(prometheusSeen)}.`
}

function bannerOf([first, ...others]: readonly Banner[], now: Date): Html | false {
  if (first === undefined) return false
  const message = ({ message: text, todo, since }: Banner): Html =>
    markup`<b>${cut(text, 600)}</b> <span>${cut(todo, 600)}</span> <small>Since ${shortTime(since)} UTC, for ${ago(since, now, "span")}.</small>`
  return markup`<section id="banner" class="banner ${first.severity}" data-banner="${first.id}" aria-label="About the portal">
<p>${icon(first.severity === "trouble" ? "down" : "attention")}${message(first)}</p>
${
  others.length > 0 &&
  markup`<details>
<summary>And ${plural(others.length, "more thing", "more things")}</summary>
${others.map((other) => markup`<p>${message(other)}</p>`)}
</details>`
}
</section>
`
}

const noSites = markup`<section class="empty">
<p>List the sites in <code>sites.yaml</code>; the page shows them as soon as Prometheus has the configuration.</p>
<pre>sites:
  - name: site-a
    url: https://site-a.example.org
    labels: {location: city-a}
    token: {file: tokens/site-a}</pre>
<p>Or have them written: <code>fedstack site add site-a --url https://site-a.example.org --label location=city-a --token-file tokens/site-a --sites.file sites.yaml</code></p>
</section>
`

function list(sites: readonly SiteStatus[], filter: Filter, now: Date): Html {
  const wanted = matcher(filter)
  const shown = new Set(sites.filter(wanted))
  return markup`${filters(sites, filter)}
<div class="table" id="sites" role="region" aria-label="Sites" tabindex="-1">
<table role="table">
<caption>${shown.size === sites.length ? "All sites" : `${count(shown.size)} of ${plural(sites.length, "site")}`}, ${ORDER_IN_WORDS[filter.sort.key]}</caption>
<thead role="rowgroup">
<tr role="row">
${COLUMNS.map((column) => heading(column, filter))}
</tr>
</thead>
<tbody role="rowgroup" id="rows">
${sorted(sites, filter.sort).map((site) => row(site, now, !shown.has(site)))}
</tbody>
</table>
<p class="empty" id="none"${shown.size > 0 && markup` hidden`}>
${filter.faults.map((fault) => markup`${fault} `)}No site matches. <a href="/" data-all>Show all ${count(sites.length)}</a></p>
</div>`
}

const ORDER_IN_WORDS: Readonly<Record<SortKey, string>> = {
  state: "those in trouble first",
  name: "by name",
  since: "by how long they are in their state",
  last: "by their last delivery",
  series: "by their number of series",
  duration: "by the duration of a scrape",
}

interface Column {
  readonly title: string
  readonly key?: SortKey
  readonly figures?: true
  /** What an unreversed order is to a screen reader. */
  readonly natural?: "ascending" | "descending"
}

const COLUMNS: readonly Column[] = [
  { title: "State", key: "state", natural: "descending" },
  { title: "Site", key: "name", natural: "ascending" },
  { title: "Reason and what to do" },
  { title: "Since", key: "since", figures: true, natural: "descending" },
  { title: "Last delivery", key: "last", figures: true, natural: "descending" },
  { title: "Series", key: "series", figures: true, natural: "descending" },
  { title: "Duration", key: "duration", figures: true, natural: "descending" },
  { title: "24 h" },
]

function heading({ title, key, figures, natural = "descending" }: Column, filter: Filter): Html {
  const [current, classes] = [filter.sort.key === key, figures && markup` class="n"`]
  if (key === undefined) return markup`<th role="columnheader" scope="col">${title}</th>`
  const opposite = natural === "ascending" ? "descending" : "ascending"
  const order = filter.sort.reversed ? opposite : natural
  const next = { ...filter, sort: { key, reversed: current && !filter.sort.reversed } }
  return markup`<th role="columnheader" scope="col"${classes}${current && markup` aria-sort="${order}"`}>
<a href="/${toQuery(next)}" data-sort="${key}">${title}</a>
</th>`
}

function filters(sites: readonly SiteStatus[], filter: Filter): Html {
  return markup`<div class="filters">
<nav aria-label="Filter by state">
<ul class="chips" id="chips">${stateChips(sites, filter)}</ul>
</nav>
<form id="search" role="search" action="/" method="get">
<label><span class="unseen">Search sites</span><input type="search" name="q" value="${filter.q}" placeholder="Name, label=value, reason" maxlength="200" autocomplete="off" spellcheck="false"></label>${Object.entries(
    {
      state: filter.states.join(","),
      reason: filter.reason ?? "",
      sort: filter.sort === DEFAULT_SORT ? "" : `${filter.sort.reversed ? "-" : ""}${filter.sort.key}`,
    },
  )
    .filter(([, value]) => value !== "")
    .map(([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`)}<kbd hidden>/</kbd>
</form>
<nav aria-label="Filter by reason" id="reasons">${reasons(sites, filter)}</nav>
</div>`
}

const current = markup` aria-current="true"`

/** All sites, and those in each state that there is. */
export function stateChips(sites: readonly SiteStatus[], filter: Filter): Html {
  const counts = countStates(sites)
  const others = { ...filter, states: [], reason: undefined }
  const all = filter.states.length === 0 && filter.reason === undefined
  return markup`
<li><a href="/${toQuery(others)}" data-state=""${all && current}>All <span class="k">${count(sites.length)}</span></a></li>
${STATES.map((state) => stateChip(state, counts, filter))}
`
}

function stateChip(state: State, counts: Counts, filter: Filter): Html {
  const chosen = filter.states.includes(state)
  const query = toQuery({ ...EVERYTHING, states: [state], q: filter.q, sort: filter.sort })
  return markup`<li${counts[state] === 0 && !chosen && markup` hidden`}><a href="/${query}" data-state="${state}"${chosen && current}><span class="s-${state}">${icon(state)}</span>${STATE_NAMES[state]} <span class="k">${count(counts[state])}</span></a></li>`
}

/** Only these are worth a chip: 38 sites that fail in the same way have one cause. */
const SHARED = 2
const MOST_REASONS = 12

/** Reasons that several sites share, the most frequent first. */
export function reasons(sites: readonly SiteStatus[], filter: Filter): Html {
  const shared = new Map<string, { readonly title: string; readonly sites: number }>()
  for (const { state, cause, causeTitle } of sites) {
    // these have a chip of their state
    if (cause !== null && state !== "waiting")
      shared.set(cause, { title: causeTitle ?? cause, sites: (shared.get(cause)?.sites ?? 0) + 1 })
  }
  const chips = [...shared]
    .filter(([cause, { sites: having }]) => having >= SHARED || cause === filter.reason)
    .toSorted(([, one], [, other]) => other.sites - one.sites)
    .slice(0, MOST_REASONS)
  if (chips.length === 0) return markup``
  return markup`<span class="label">Shared reasons</span>
<ul class="chips">
${chips.map(([cause, { title, sites: having }]) => {
  const chosen = cause === filter.reason
  const query = toQuery({ ...EVERYTHING, reason: chosen ? undefined : cause, q: filter.q, sort: filter.sort })
  return markup`<li><a href="/${query}" data-reason="${cut(cause, 100)}"${chosen && current}>${cut(title, 60)} <span class="k">${count(having)}</span></a></li>`
})}
</ul>`
}
