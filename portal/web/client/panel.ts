import { all, byId, make, morph } from "./elements.ts"
import { applyFilter, currentList, isPlain } from "./filters.ts"
import { sortRows } from "./order.ts"
import { isLogin } from "./stream.ts"

interface Entry {
  /** The query of the list below the panel. */
  readonly list?: string
}

const siteIn = (path: string): string | undefined => {
  const [, name] = /^\/sites\/([^/]+)$/.exec(path) ?? []
  return name === undefined ? undefined : decodeURIComponent(name)
}
const article = (): HTMLElement | null => byId("site")

/** The site whose page or panel is shown. */
export const shownSite = (): string | undefined => siteIn(location.pathname)

/** Shows another list, and that address, without a request. */
export function go(address: string, replace: boolean): void {
  const url = new URL(address, location.href)
  if (replace) history.replaceState(null, "", url)
  else if (url.href !== location.href) history.pushState(null, "", url)
  showAddress()
}

/** What the address says: a list, or a site's panel over it. */
function showAddress(): void {
  applyFilter()
  sortRows()
  const name = shownSite()
  if (name === undefined) closePanel()
  else void openPanel(name)
}

/** The links of the table open the page of a site beside it. */
export function startPanel(): void {
  if (!byId("panel")) return
  document.addEventListener("click", (event) => {
    if (!isPlain(event) || !(event.target instanceof Element)) return
    const link = event.target.closest<HTMLAnchorElement>("#rows th a")
    if (!link) return
    event.preventDefault()
    const entry: Entry = { list: new URL(currentList(), location.href).search }
    // one entry for all sites that are opened one after the other: closing is going back
    if (isPanelOpen()) history.replaceState(entry, "", link.href)
    else history.pushState(entry, "", link.href)
    showAddress()
  })
  addEventListener("popstate", showAddress)
}

async function openPanel(name: string): Promise<void> {
  const panel = byId("panel")
  if (!panel) return
  markOpen(name)
  const fresh = await fetchSite(name)
  // another one was opened, or none, before the response was there
  if (shownSite() !== name) return
  if (!fresh) return location.reload()
  const close = make("button", {
    type: "button",
    className: "close",
    ariaLabel: "Close",
    title: "Close (Esc)",
    textContent: "✕",
  })
  close.addEventListener("click", leavePanel)
  panel.replaceChildren(close, fresh)
  showCopyButtons()
  panel.hidden = false
  panel.scrollTop = 0
  panel.focus()
}

export function leavePanel(): void {
  const { list } = (history.state ?? {}) as Entry
  if (list === undefined) go(currentList(), false)
  else history.back()
}

export const isPanelOpen = (): boolean => byId("panel")?.hidden === false

function closePanel(): void {
  const panel = byId("panel")
  if (!panel || panel.hidden) return
  const name = article()?.dataset.site
  panel.hidden = true
  panel.replaceChildren()
  markOpen(undefined)
  byId(`site-${name}`)?.querySelector<HTMLElement>("th a")?.focus({ preventScroll: false })
}

function markOpen(name: string | undefined): void {
  for (const row of all("#rows > tr.on")) row.classList.remove("on")
  if (name !== undefined) byId(`site-${name}`)?.classList.add("on")
}

/** Shows the site that is open as it is now; not while a text in it is selected. */
export async function refreshSite(): Promise<void> {
  const [name, old] = [shownSite(), article()]
  if (name === undefined || !old) return
  const marked = getSelection()
  if (marked && !marked.isCollapsed && marked.anchorNode && old.contains(marked.anchorNode)) return
  const fresh = await fetchSite(name)
  if (!fresh || article()?.dataset.site !== fresh.dataset.site) return
  morph(old, fresh)
  showCopyButtons()
}

/** They do nothing without a script, and come hidden. */
export function showCopyButtons(): void {
  for (const button of all("button[data-copy]")) button.hidden = false
}

async function fetchSite(name: string): Promise<HTMLElement | undefined> {
  try {
    const response = await fetch(`/sites/${encodeURIComponent(name)}`, { redirect: "manual", cache: "no-cache" })
    if (isLogin(response)) return undefined
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    if (!byId("panel")) document.title = page.title
    return page.getElementById("site") ?? page.getElementById("main") ?? undefined
  } catch {
    return undefined
  }
}
