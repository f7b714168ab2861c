import { change, count, moment, span, took } from "../diagnosis/words.ts"
import { type SiteStatus, STATE_NAMES } from "../status/overview.ts"
import { cut, type Html, markup } from "./html.ts"
import { icon } from "./icons.ts"
import { siteLink } from "./links.ts"
import { searchable } from "./search.ts"
import { strip } from "./strip.ts"

/** The first characters of a longer sentence; the page of the site has the whole. */
const SENTENCE = 300

/**
 * A site as a row of the table: on the first page and in every live update. A browser counts the times on by `datetime` and
 * `data-as`. The roles stand there because the style sheet of a phone takes the table's own away.
 */
export function row(site: SiteStatus, now: Date, hidden = false): Html {
  const { state, cause, reason, todo, name } = site
  const search = searchable(site)
  return markup`<tr role="row" id="site-${cut(name, 100)}" data-state="${state}"${state === "unknown" && markup` data-was="${site.lastState}"`} data-cause="${cut(cause ?? "", 100)}" data-q="${search.text}" data-labels="${search.labels}"${hidden && markup` hidden`}>
<td role="cell" class="state s-${state}">${icon(state)}<span>${STATE_NAMES[state]}</span></td>
<th role="rowheader" scope="row"><a href="${siteLink(name)}">${cut(name, 100)}</a>${small(placeOf(site))}</th>
<td role="cell" class="why">${reason === null ? was(site) : markup`<b>${was(site)}${cut(reason, SENTENCE)}</b>`}${todo !== null && small(cut(todo, SENTENCE))}</td>
<td role="cell" class="n since">${ago(site.since, now, "span")}</td>
<td role="cell" class="n last">${lastDelivery(site, now)}</td>
<td role="cell" class="n series" data-value="${String(site.series ?? "")}">${series(site)}</td>
<td role="cell" class="n duration" data-value="${String(site.durationSeconds ?? "")}">${duration(site)}</td>
<td role="cell" class="day">${strip(site)}</td>
</tr>
`
}

const small = (text: string): Html | false => text !== "" && markup` <small>${text}</small>`

/** Never as if it were known now. */
function was({ state, lastState }: SiteStatus): Html | false {
  return (
    state === "unknown" &&
    lastState !== "unknown" &&
    markup`<span class="was">Last known: ${STATE_NAMES[lastState].toLowerCase()}.</span> `
  )
}

/** Where people say that it is: its location, else the first label that is more than a number. */
export function placeOf({ labels }: SiteStatus): string {
  const { location } = labels
  return cut(location ?? Object.values(labels).find((value) => !/^\d*$/.test(value)) ?? "", 60)
}

/** A time that counts on in a browser: how long it lasts, or how long ago it was. */
export function ago(at: Date, now: Date, as: "span" | "ago"): Html {
  if (Number.isNaN(at.getTime())) return markup`–`
  const text = span((now.getTime() - at.getTime()) / 1000)
  return markup`<time datetime="${at.toISOString()}" data-as="${as}" title="${moment(at)}">${text}${as === "ago" && " ago"}</time>`
}

export const lastDelivery = ({ lastDelivery: at }: SiteStatus, now: Date): Html =>
  at === null ? markup`never` : ago(at, now, "ago")

/** Changes below both are noise. */
const [CHANGE_SHARE, CHANGE_SERIES] = [0.05, 5]

/** With what changed since yesterday, where it is worth a look. */
export function series({ series: now, seriesDayAgo: before }: SiteStatus): Html {
  if (now === null) return markup`–`
  const by = now - (before ?? now)
  const shown = Math.abs(by) >= CHANGE_SERIES && Math.abs(by) >= CHANGE_SHARE * (before ?? 0)
  return markup`${count(now)}${shown && markup` <small class="${by < 0 ? "fewer" : "more"}" title="against 24 h ago">${change(by)}</small>`}`
}

/** From this share on a scrape is near its end. */
const SLOW = 0.7

export function duration({ durationSeconds, timeoutSeconds }: SiteStatus): Html {
  if (durationSeconds === null) return markup`–`
  const slow = durationSeconds > SLOW * timeoutSeconds
  return markup`${took(durationSeconds)}${slow && markup` <small class="slow">of ${span(timeoutSeconds)}</small>`}`
}
