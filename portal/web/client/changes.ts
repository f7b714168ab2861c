import type { Changes } from "../live/changes.ts"
import { announce } from "./announce.ts"
import { all, byId, morph, parse, show } from "./elements.ts"
import { applyFilter } from "./filters.ts"
import { sortIfQuiet } from "./order.ts"
import { setClock, tick } from "./times.ts"

const idOf = (name: string): string => `site-${name}`

/** Shows what changed, in place. */
export function apply({ now, all: whole, rows, gone, summary }: Changes): void {
  setClock(now)
  const list = byId("summary")
  // the first site needs a table
  if (list && !byId("rows") && rows.length > 0) return location.reload()
  // the page of one site has a title of its own
  if (list) document.title = summary.title
  const icon = byId("icon")
  const picture = icon?.dataset[summary.icon]
  if (icon instanceof HTMLLinkElement && picture && icon.getAttribute("href") !== picture) icon.href = picture
  for (const [id, html] of Object.entries(summary.parts)) show(byId(id), html)
  for (const [name, html] of rows) showRow(name, html)
  for (const name of gone) byId(idOf(name))?.remove()
  if (whole) {
    const names = new Set(rows.map(([name]) => idOf(name)))
    for (const row of all("#rows > tr")) if (!names.has(row.id)) row.remove()
  }
  applyFilter()
  sortIfQuiet()
  tick()
}

function showRow(name: string, html: string): void {
  const [fresh, row] = [parse(html), byId(idOf(name))]
  if (!(fresh instanceof HTMLElement)) return
  if (row) {
    const before = row.dataset.state
    const isOther = before !== fresh.dataset.state || row.dataset.cause !== fresh.dataset.cause
    morph(row, fresh)
    if (isOther) mark(row)
    if (before !== row.dataset.state) announce(name, row.querySelector(".state")?.textContent ?? "")
    return
  }
  byId("rows")?.append(fresh)
  mark(fresh)
}

/** Faded once by the style sheet; not at all where a reader wants no motion. */
function mark(row: HTMLElement): void {
  row.classList.add("new")
  setTimeout(() => row.classList.remove("new"), 2000)
}
