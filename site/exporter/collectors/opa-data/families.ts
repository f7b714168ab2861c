import type { Family, Labels, Sample } from "#core/metrics/exposition.ts"
import type { Comparison } from "./compare.ts"
import type { Digests, Told } from "./digests.ts"
import type { Counted } from "./paths.ts"
import type { Outcome, Place } from "./reading.ts"
import type { Target } from "./target.ts"

/** Replicas of one service, compared at one path. */
export interface Compared {
  readonly namespace: string
  readonly service: string
  readonly path: string
  readonly targets: readonly Target[]
  readonly comparison: Comparison
  /** Milliseconds of Unix time; undefined while they agree. */
  readonly since: number | undefined
}

/** What one collection found, with the original's names for its counts. Whatever was not read has no series. */
export function podFamilies(
  clusterName: string,
  paths: readonly Counted[],
  outcomes: readonly Outcome[],
  digests: Digests | undefined,
): Family[] {
  const pods = outcomes.map(({ target, result }) => ({ labels: podLabels(clusterName, target), target, result }))
  const read = pods.flatMap(({ labels, target, result }) => ("places" in result ? [{ labels, target, result }] : []))
  const cells = read.flatMap(({ labels, result }) =>
    paths.flatMap((path, index): { path: Counted; place: Place; labels: Labels }[] => {
      const place = result.places[index]
      return place === undefined ? [] : [{ path, place, labels: pathLabels(path.name, labels) }]
    }),
  )
  const counts = (wanted: "cluster" | "namespaced", value: (place: Place & { kind: "counted" }) => number) =>
    cells.flatMap(({ path, place, labels }): Sample[] =>
      path[wanted] && place.kind === "counted" ? [{ labels, value: value(place) }] : [],
    )
  const told = (key: keyof Told): Sample[] =>
    read.flatMap(({ labels, target }) => {
      const value = digests?.told(target)[key]
      return value === undefined ? [] : [{ labels, value }]
    })
  return [
    gauge(
      "opa_cluster_data_items",
      "Number of cluster scoped data items in present memory of a OPA pod",
      counts("cluster", ({ keys }) => keys),
    ),
    gauge(
      "opa_namespaced_data_items",
      "Number of namespace scoped data items in present memory of a OPA pod",
      counts("namespaced", ({ members = 0 }) => members),
    ),
    gauge(
      "opa_namespaced_data_item_namespaces",
      "Number of namespace scoped for namespaced data items in present memory of a OPA pod",
      counts("namespaced", ({ keys }) => keys),
    ),
    gauge(
      "opa_data_path_defined",
      "1 if the pod has something at the path, 0 if the path is undefined there.",
      cells.map(({ place, labels }) => ({ labels, value: place.kind === "undefined" ? 0 : 1 })),
    ),
    gauge(
      "opa_up",
      "1 if the pod's data could be read in the last collection, else 0.",
      pods.map(({ labels, result }) => ({ labels, value: "places" in result ? 1 : 0 })),
    ),
    gauge(
      "opa_down_reason",
      "1 for each pod whose data could not be read, with the reason.",
      pods.flatMap(({ labels, result }) =>
        "places" in result ? [] : [{ labels: { ...labels, reason: result.reason }, value: 1 }],
      ),
    ),
    gauge(
      "opa_ready",
      "1 if the service sends requests to the pod, else 0.",
      pods.map(({ labels, target }) => ({ labels, value: target.ready ? 1 : 0 })),
    ),
    gauge(
      "opa_data_way",
      "1 for the way in which the pod's data is read: by query or package OPA counts itself, by documents it sends everything.",
      read.map(({ labels, result }) => ({ labels: { ...labels, way: result.way }, value: 1 })),
    ),
    gauge(
      "opa_data_request_seconds",
      "Time that the pod itself took for the last request, as it says.",
      read.flatMap(({ labels, result: { opaSeconds: value } }) => (value === undefined ? [] : [{ labels, value }])),
    ),
    gauge(
      "opa_data_digest_request_seconds",
      "Time that the pod itself took for the last request with digests, as it says.",
      told("seconds"),
    ),
    gauge(
      "opa_data_digest_interval_seconds",
      "Time between two digests of the pod while replicas agree: as configured, or longer to stay within the budget.",
      told("interval"),
    ),
    gauge("opa_data_digest_timestamp_seconds", "When the pod's digests were taken last, in Unix time.", told("at")),
  ]
}

export function driftFamilies(clusterName: string, compared: readonly Compared[]): Family[] {
  const rows = compared.map((row) => ({
    ...row,
    labels: {
      cluster_name: clusterName,
      data_path: row.path,
      opa_namespace: row.namespace,
      opa_service: row.service,
    },
  }))
  const perPath = (name: string, help: string, value: (row: Compared) => number | undefined): Family =>
    gauge(
      name,
      help,
      rows.flatMap((row) => {
        const number = value(row)
        return number === undefined ? [] : [{ labels: row.labels, value: number }]
      }),
    )
  return [
    perPath(
      "opa_data_in_sync",
      "1 if all pods that could be read hold as many items at the path, and the same by digest where those are known; else 0. It stays 0 until it is known that they agree again.",
      ({ comparison }) => (comparison.inSync ? 1 : 0),
    ),
    perPath(
      "opa_data_items_spread",
      "The greatest difference in items at the path between two pods.",
      ({ comparison }) => comparison.spread,
    ),
    perPath(
      "opa_data_out_of_sync_since_timestamp_seconds",
      "Since when the pods differ at the path, in Unix time; no series while they agree.",
      ({ since }) => (since === undefined ? undefined : since / 1000),
    ),
    perPath(
      "opa_data_compared_pods",
      "How many pods were compared at the path.",
      ({ comparison }) => comparison.replicas,
    ),
    perPath(
      "opa_data_compared_digests",
      "How many pods were compared by digest at the path, for which their digests have to be of one collection.",
      ({ comparison }) => comparison.byDigest.size,
    ),
    gauge(
      "opa_data_deviates",
      "1 if the pod holds something else at the path than the majority of pods, else 0.",
      compared.flatMap(({ path, targets, comparison }) =>
        targets.map((target) => ({
          labels: pathLabels(path, podLabels(clusterName, target)),
          value: comparison.odd.has(target.pod) ? 1 : 0,
        })),
      ),
    ),
  ]
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: "gauge", samples }
}

/** In the order of the original's client library. */
function podLabels(clusterName: string, { namespace, service, pod, node }: Target) {
  return {
    cluster_name: clusterName,
    node_name: node,
    opa_namespace: namespace,
    opa_service: service,
    pod_name: pod,
  }
}

function pathLabels(path: string, { cluster_name = "", ...others }: Labels): Labels {
  return { cluster_name, data_path: path, ...others }
}
