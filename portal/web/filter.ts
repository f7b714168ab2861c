import { type SiteStatus, type State, STATES } from "../status/overview.ts"
import { matchesWords, searchable } from "./search.ts"

/** How a list can be sorted: the first is the default. A `-` before it in a URL turns it round. */
export const SORTS = ["state", "name", "since", "last", "series", "duration"] as const
export type SortKey = (typeof SORTS)[number]

export interface Sort {
  readonly key: SortKey
  readonly reversed: boolean
}

/** What of a list is wanted: the same in the URL of the page and of the API. */
export interface Filter {
  /** Any of them; none: all. */
  readonly states: readonly State[]
  /** The id of a cause. */
  readonly reason: string | undefined
  readonly q: string
  readonly sort: Sort
  /** What could not be understood, in sentences. The page then shows nothing rather than everything. */
  readonly faults: readonly string[]
}

/** What no user types, and what would cost time to search for. */
const LONGEST = 200

export const DEFAULT_SORT: Sort = { key: "state", reversed: false }
export const EVERYTHING: Filter = { states: [], reason: undefined, q: "", sort: DEFAULT_SORT, faults: [] }

/** Reads `state`, `reason`, `q` and `sort`; parameters with other names are ignored. Never throws. */
export function parseFilter(query: URLSearchParams): Filter {
  const faults: string[] = []
  const names = query.getAll("state").flatMap((value) => value.split(","))
  const states = STATES.filter((state) => names.includes(state))
  if (names.some((name) => name !== "" && !isState(name))) faults.push(`state must be any of ${STATES.join(", ")}.`)
  const sort = parseSort(query.get("sort") ?? "")
  if (sort === undefined) faults.push(`sort must be one of ${SORTS.join(", ")}, with a - before it for the reverse.`)
  const q = (query.get("q") ?? "").trim()
  const reason = query.get("reason")?.trim() ?? ""
  if (q.length > LONGEST) faults.push(`q must be at most ${LONGEST} characters long.`)
  if (reason.length > LONGEST) faults.push(`reason must be at most ${LONGEST} characters long.`)
  return {
    states,
    reason: reason === "" ? undefined : reason.slice(0, LONGEST),
    q: q.slice(0, LONGEST),
    sort: sort ?? DEFAULT_SORT,
    faults,
  }
}

const isState = (name: string): name is State => (STATES as readonly string[]).includes(name)

function parseSort(text: string): Sort | undefined {
  if (text === "") return DEFAULT_SORT
  const reversed = text.startsWith("-")
  const key = SORTS.find((sort) => sort === text.slice(reversed ? 1 : 0))
  return key && { key, reversed }
}

/** The query of a filter, such as `?state=down&sort=-name`; the shortest that gives it; empty for all. */
export function toQuery({ states, reason, q, sort }: Filter): string {
  const query = new URLSearchParams()
  if (states.length > 0) query.set("state", states.join(","))
  if (reason !== undefined) query.set("reason", reason.slice(0, LONGEST))
  if (q !== "") query.set("q", q)
  const order = `${sort.reversed ? "-" : ""}${sort.key}`
  if (order !== DEFAULT_SORT.key) query.set("sort", order)
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3D", "=")
  return text === "" ? "" : `?${text}`
}

/** Whether a site is wanted. */
export function matcher({ states, reason, q, faults }: Filter): (site: SiteStatus) => boolean {
  if (faults.length > 0) return () => false
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  return (site) =>
    (states.length === 0 || states.includes(site.state)) &&
    (reason === undefined || site.cause === reason) &&
    (words.length === 0 || matchesWords(searchable(site), words))
}

type Compare = (one: SiteStatus, other: SiteStatus) => number

const byName: Compare = (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0)
const bySince: Compare = (one, other) => one.since.getTime() - other.since.getTime()
const larger = (one: number | null, other: number | null): number => (other ?? -1) - (one ?? -1)

/** What is most likely looked for comes first: the worst, the longest, the oldest, the most. */
const ORDERS: Readonly<Record<SortKey, Compare>> = {
  // while nothing is known, by what was known before
  state: (one, other) =>
    STATES.indexOf(one.state) - STATES.indexOf(other.state) ||
    STATES.indexOf(one.lastState) - STATES.indexOf(other.lastState) ||
    bySince(one, other),
  name: byName,
  since: bySince,
  last: (one, other) => (one.lastDelivery?.getTime() ?? 0) - (other.lastDelivery?.getTime() ?? 0),
  series: (one, other) => larger(one.series, other.series),
  duration: (one, other) => larger(one.durationSeconds, other.durationSeconds),
}

/** In a new list; what is equal stands by name. */
export function sorted(sites: readonly SiteStatus[], { key, reversed }: Sort): readonly SiteStatus[] {
  const order = ORDERS[key]
  return sites.toSorted((one, other) => (reversed ? order(other, one) : order(one, other)) || byName(one, other))
}
