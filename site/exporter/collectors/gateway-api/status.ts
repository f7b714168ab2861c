import { encode, type Family, type Labels } from "#core/metrics/exposition.ts"
import type { KubernetesError } from "#core/kubernetes/errors.ts"
import type { Store } from "./store.ts"
import type { Target } from "./targets.ts"

/** What is known of a kind. */
export interface KindState {
  readonly target: Target
  /** The objects as they were read last, by namespace where those are listed one by one; none where they never were. */
  readonly stores: readonly Store[]
  /** Why they could not be read now. */
  readonly problem: KubernetesError | undefined
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
    states.flatMap(({ target, problem }) =>
      problem === undefined ? [] : [[`${target.kind.plural}.${target.group}`, problem.message] as const],
    ),
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
  ])
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
