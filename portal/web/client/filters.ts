import { matchesWords } from "../search.ts"
import { all, byId } from "./elements.ts"

/** Longer than the time between two keys. */
const DEBOUNCE = 250

export const search = (): HTMLInputElement | null => document.querySelector("#search input[name=q]")
const rows = (): HTMLTableRowElement[] => all("#rows > tr")

/** Of the list: the address of the last one while a site's panel is open over it. */
export const filterOf = (): URLSearchParams => new URLSearchParams(listUrl().split("?")[1] ?? "")

const listUrl = (): string =>
  location.pathname === "/" ? location.search : ((history.state as { list?: string } | null)?.list ?? "?")
export const currentList = (): string => `/${listUrl()}`

/** Hides the rows that the address does not want, and shows it in chips, links and the search field. */
export function applyFilter(): void {
  const filter = filterOf()
  const states = filter.getAll("state").join().split(",").filter(Boolean)
  // of what it does not understand the portal shows no site, and why
  const understood = isSort(filter.get("sort")) && states.every((state) => isKnown("state", state))
  const reason = filter.get("reason")
  const words = (filter.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean)
  let shown = 0
  for (const row of rows()) {
    const { state = "", cause, q = "", labels = "" } = row.dataset
    const wanted =
      understood &&
      (states.length === 0 || states.includes(state)) &&
      (!reason || cause === reason) &&
      matchesWords({ text: q, labels }, words)
    row.hidden = !wanted
    if (wanted) shown++
  }
  const none = byId("none")
  if (none) none.hidden = shown > 0 || rows().length === 0
  showChosen(filter, states, reason)
  const caption = document.querySelector("caption")
  if (caption) caption.textContent = shown === rows().length ? "All sites" : `${shown} of ${rows().length} sites`
}

const isKnown = (name: "state" | "sort", value: string): boolean =>
  all(`a[data-${name}]`).some(({ dataset }) => dataset[name] === value)

/** None is that of the portal. */
export const isSort = (sort: string | null): boolean => !sort || isKnown("sort", sort.replace(/^-/, ""))

function showChosen(filter: URLSearchParams, states: readonly string[], reason: string | null): void {
  for (const link of all<HTMLAnchorElement>("#chips a, #reasons a")) {
    const { state, reason: cause } = link.dataset
    const chosen = state === "" ? states.length === 0 && !reason : state ? states.includes(state) : cause === reason
    if (chosen) link.setAttribute("aria-current", "true")
    else link.removeAttribute("aria-current")
    const item = link.parentElement
    if (item && state) item.hidden = !chosen && link.querySelector(".k")?.textContent === "0"
    link.href = addressWith(filter, { state: state ?? "", reason: cause && !chosen ? cause : "" })
  }
  const input = search()
  if (input && document.activeElement !== input) input.value = filter.get("q") ?? ""
  for (const json of all<HTMLAnchorElement>("footer a[href^='/api/v1/sites']")) json.search = `${filter}`
}

/** The list with some parameters changed; without those that are empty. */
export function addressWith(filter: URLSearchParams, changed: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(filter)
  for (const [name, value] of Object.entries(changed)) {
    if (value === "") next.delete(name)
    else next.set(name, value)
  }
  const query = `${next}`.replaceAll("%2C", ",").replaceAll("%3D", "=")
  return query === "" ? "/" : `/?${query}`
}

/** `go` shows another list without a request. */
export function startFilters(go: (address: string, replace: boolean) => void): void {
  document.addEventListener("click", (event) => {
    if (!isPlain(event) || !(event.target instanceof Element)) return
    const link = event.target.closest<HTMLAnchorElement>("#chips a, #reasons a, a[data-all], a[data-sort]")
    if (!link) return
    event.preventDefault()
    go(link.href, false)
  })
  const input = search()
  if (!input) return
  let timer = 0
  let typing = false
  const find = (): void => {
    clearTimeout(timer)
    const q = input.value.trim()
    if (q === (filterOf().get("q") ?? "")) return
    // one entry in the history for all that is typed until something else is done
    go(addressWith(filterOf(), { q }), typing)
    typing = true
  }
  input.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(find, DEBOUNCE)
  })
  // what comes next is of the list that is wanted: a site that opens would be closed by a search that comes late
  input.addEventListener("blur", () => {
    find()
    typing = false
  })
  addEventListener("popstate", () => void (typing = false))
  input.form?.addEventListener("submit", (event) => {
    event.preventDefault()
    find()
  })
}

/** Whether a click is one that a browser would follow in the same tab. */
export function isPlain(event: MouseEvent): boolean {
  return (
    event.button === 0 &&
    !event.defaultPrevented &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.shiftKey &&
    !event.altKey
  )
}
