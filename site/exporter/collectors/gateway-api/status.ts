import { encode, type Family, type Labels } from "#core/metrics/exposition.ts"
import type { KubernetesError } from "#core/kubernetes/errors.ts"
import type { Store } from "./store.ts"
import { idOf, type Target } from "./targets.ts"

/** What is known of a kind. */
export interface KindState {
  readonly target: Target
  /** The objects as they were read last, by namespace where those are listed one by one; none where they never were. */
  readonly stores: readonly Store[]
  /** Why they could not be read now. */
  readonly problem: KubernetesError | undefined
  /** Where it is followed by watches. */
  readonly watch?: WatchState
}

export interface WatchState {
  readonly isOpen: boolean
  /** Seconds of Unix time at which the objects were up to date for certain. */
  readonly confirmed: number | undefined
  /** Objects that came in lists and events, by whether they changed anything that is exported. */
  readonly changed: number
  readonly unchanged: number
}

const STATES = ["listed", "not_installed", "forbidden", "failed"] as const

/** Of kinds that are not missing, whether they are listed or not installed. */
function stateOf({ target, problem }: KindState): (typeof STATES)[number] {
  if (problem !== undefined) return problem.statusCode === 403 ? "forbidden" : "failed"
  return target.resource === undefined ? "not_installed" : "listed"
}

/** Kinds that could not be read, and why. */
export function missingOf(states: readonly KindState[]): ReadonlyMap<string, string> {
  return new Map(
    states.flatMap(({ target, problem }) => (problem === undefined ? [] : [[idOf(target), problem.message] as const])),
  )
}

/** Says of each kind whether it was read, in the text format. */
export function statusText(states: readonly KindState[]): string {
  const rows = states.map((state) => ({ ...state, labels: labelsOf(state), state: stateOf(state) }))
  const read = rows.filter(({ stores }) => stores.length > 0)
  return encode([
    gauge("up", "1 if everything that is installed could be read, else 0.", [
      { labels: {}, value: rows.every(({ problem }) => problem === undefined) ? 1 : 0 },
    ]),
    gauge(
      "kind_status",
      "1 for the state of each kind: listed, not_installed, forbidden (by RBAC: verb and resource are what is needed) or failed.",
      rows.map(({ labels, state, problem }) => ({
        labels: { ...labels, status: state, ...(state === "forbidden" ? problem?.needed : {}) },
        value: 1,
      })),
    ),
    gauge(
      "objects",
      "How many objects of the kind are exported.",
      read.map(({ labels, stores }) => ({ labels, value: sum(stores, ({ size }) => size) })),
    ),
    gauge(
      "duplicate_samples",
      "How many samples are left out because an entry with the same labels stands before them in the same object.",
      read.map(({ labels, stores }) => ({ labels, value: sum(stores, ({ duplicates }) => duplicates) })),
    ),
    ...watchFamilies(rows),
  ])
}

function watchFamilies(rows: readonly { readonly labels: Labels; readonly watch?: WatchState }[]): readonly Family[] {
  const all = rows.flatMap(({ labels, watch }) => (watch === undefined ? [] : [{ labels, watch }]))
  return [
    gauge(
      "watch_open",
      "1 while changes of the kind's objects are followed, 0 while what is exported may be outdated.",
      all.map(({ labels, watch }) => ({ labels, value: watch.isOpen ? 1 : 0 })),
    ),
    gauge(
      "watch_last_confirmed_timestamp_seconds",
      "When the API last sent a whole list, a change or a bookmark of the kind, in Unix time. Bookmarks come every minute.",
      all.flatMap(({ labels, watch: { confirmed: value } }) => (value === undefined ? [] : [{ labels, value }])),
    ),
    {
      name: "gateway_metrics_watch_objects_total",
      help: "How many objects lists and changes brought, by whether anything that is exported changed by them.",
      type: "counter",
      samples: all.flatMap(({ labels, watch }) =>
        (["changed", "unchanged"] as const).map((result) => ({ labels: { ...labels, result }, value: watch[result] })),
      ),
    },
  ]
}

function labelsOf({ target: { kind, group, resource } }: KindState): Labels {
  return {
    customresource_group: group,
    customresource_kind: kind.kind,
    ...(resource === undefined ? {} : { customresource_version: resource.version }),
  }
}

function gauge(name: string, help: string, samples: Family["samples"]): Family {
  return { name: `gateway_metrics_${name}`, help, type: "gauge", samples }
}

function sum(stores: readonly Store[], of: (store: Store) => number): number {
  return stores.reduce((total, store) => total + of(store), 0)
}
