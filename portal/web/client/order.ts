import { addressWith, filterOf, isSort } from "./filters.ts"
import { all, byId } from "./elements.ts"

/** A list that is being read stays as it is for so long. */
const QUIET = 5000
const KEPT_SORT = "fedstack.sort"

type Key = readonly (number | string)[]

const timeIn = (row: Element, cell: string): number => {
  const at = row.querySelector<HTMLTimeElement>(`.${cell} time`)?.dateTime
  return at ? Date.parse(at) : 0
}
const most = (row: Element, cell: string): number =>
  -Number(row.querySelector<HTMLElement>(`.${cell}`)?.dataset.value ?? -1)

/** As the portal sorts; what is equal stands by name. */
function keyOf(row: HTMLElement, sort: string, states: readonly string[]): Key {
  const { state = "", was = "" } = row.dataset
  if (sort === "name") return []
  if (sort === "since" || sort === "last") return [timeIn(row, sort)]
  if (sort === "series" || sort === "duration") return [most(row, sort)]
  return [states.indexOf(state), states.indexOf(was), timeIn(row, "since")]
}

function compare(one: Key, other: Key): number {
  for (const [index, value] of one.entries()) {
    const against = other[index] ?? 0
    if (value !== against) return value < against ? -1 : 1
  }
  return 0
}

let keys = new Map<HTMLElement, string>()
let scrolled = -Infinity
const sorting = (): { sort: string; reversed: boolean } => {
  const wanted = filterOf().get("sort") ?? "state"
  return { sort: wanted.replace(/^-/, ""), reversed: wanted.startsWith("-") }
}

/** Sorts; moves no row that stands where it should. */
export function sortRows(): void {
  const [body, { wanted, next }] = [byId("rows"), wantedOrder()]
  keys = next
  let at = body?.firstElementChild ?? null
  for (const row of wanted) {
    if (row === at) at = at.nextElementSibling
    else body?.insertBefore(row, at)
  }
  showMoved(0)
  showSort()
}

/** Sorts unless the list is being read; then offers it. */
export function sortIfQuiet(): void {
  const { wanted, next } = wantedOrder()
  const standing = [...(byId("rows")?.children ?? [])]
  if (wanted.every((row, index) => row === standing[index])) return showMoved(0)
  if (!isRead()) return sortRows()
  showMoved(Math.max(1, wanted.filter((row) => keys.get(row) !== next.get(row)).length))
}

function isRead(): boolean {
  const table = byId("sites")
  return (
    Boolean(table?.matches(":hover") || table?.contains(document.activeElement)) || performance.now() - scrolled < QUIET
  )
}

function wantedOrder(): { wanted: HTMLElement[]; next: Map<HTMLElement, string> } {
  const { sort, reversed } = sorting()
  const states = all("#chips a[data-state]").map(({ dataset }) => dataset.state ?? "")
  const keyed = all("#rows > tr").map((row) => [row, keyOf(row, sort, states), row.id] as const)
  keyed.sort(([, one, name], [, other, otherName]) => {
    const byKey = compare(one, other) || (sort === "name" ? compare([name], [otherName]) : 0)
    return (reversed ? -byKey : byKey) || compare([name], [otherName])
  })
  return { wanted: keyed.map(([row]) => row), next: new Map(keyed.map(([row, key]) => [row, key.join()])) }
}

function showMoved(moved: number): void {
  const button = byId("again")
  if (!button) return
  button.hidden = moved === 0
  button.textContent = `${moved} moved: sort again`
}

/** The heads of the columns show the order, and lead to the next. */
function showSort(): void {
  const { sort, reversed } = sorting()
  for (const link of all<HTMLAnchorElement>("a[data-sort]")) {
    const key = link.dataset.sort ?? ""
    const current = key === sort
    const rising = (key === "name") !== (current && reversed)
    if (current) link.closest("th")?.setAttribute("aria-sort", rising ? "ascending" : "descending")
    else link.closest("th")?.removeAttribute("aria-sort")
    const next = `${current && !reversed ? "-" : ""}${key}`
    link.href = addressWith(filterOf(), { sort: next === "state" ? "" : next })
  }
}

/** The choice of a browser holds where the address has none. */
export function startOrder(): void {
  const kept = localStorage.getItem(KEPT_SORT)
  if (location.pathname === "/" && kept && isSort(kept) && !filterOf().has("sort")) {
    history.replaceState(history.state, "", addressWith(filterOf(), { sort: kept }))
  }
  addEventListener("scroll", () => void (scrolled = performance.now()), { passive: true, capture: true })
  byId("again")?.addEventListener("click", sortRows)
}

export function keepSort(): void {
  const sort = filterOf().get("sort")
  if (sort) localStorage.setItem(KEPT_SORT, sort)
  else localStorage.removeItem(KEPT_SORT)
}
