import type { Family, Labels } from "#core/metrics/exposition.ts"
import { digestInterval, type DigestRules, type DigestState } from "./digests.ts"
import type { Compared } from "./drift.ts"
import type { Counted } from "./paths.ts"
import { readIn, type ReadOutcome, unreadIn } from "./reading.ts"
import { instanceKey, type OpaTarget, type Service, serviceKey } from "./target.ts"

/** The first three are the original's, to the letter. */
const HELP = {
  opa_cluster_data_items: "Number of cluster scoped data items in present memory of a OPA pod",
  opa_namespaced_data_items: "Number of namespace scoped data items in present memory of a OPA pod",
  opa_namespaced_data_item_namespaces:
    "Number of namespace scoped for namespaced data items in present memory of a OPA pod",
  opa_data_path_defined: "1 if the pod has something at the path, 0 if the path is undefined there.",
  opa_up: "1 if the pod's data could be read in the last collection, else 0.",
  opa_down_reason: "1 for each pod whose data could not be read, with the reason.",
  opa_ready: "1 if the service sends requests to the pod, else 0.",
  opa_data_read_method:
    "1 for the method by which the pod's data is read: by query or package OPA counts itself, by documents it sends everything.",
  opa_data_last_request_duration_seconds: "How long the pod took for the last request, as it reports.",
  opa_data_last_digest_request_duration_seconds:
    "How long the pod took for the last request with digests, as it reports.",
  opa_data_digest_interval_seconds:
    "Time between two digests of the pod while replicas agree: as configured, or longer to stay within the budget.",
  opa_data_digest_timestamp_seconds: "When the pod's digests were taken last, in Unix time.",
  opa_data_in_sync:
    "1 if all pods that could be read hold the same at the path, by number of items and by digest, 0 if they differ, until it is known that they agree again; no series where no difference is seen, but not all were compared.",
  opa_data_not_compared_pods:
    "How many pods could not be compared at the path by what they hold, only by how much, with the reason.",
  opa_data_items_spread: "The greatest difference in items at the path between two pods.",
  opa_data_out_of_sync_since_timestamp_seconds:
    "Since when the pods differ at the path, in Unix time; no series while they agree.",
  opa_data_compared_pods: "How many pods were compared at the path.",
  opa_data_compared_digests:
    "How many pods were compared by digest at the path, for which their digests have to be of one collection.",
  opa_data_majority_pods: "How many pods agree with the majority at the path.",
  opa_data_deviates: "1 if the pod holds something else at the path than the majority of pods, else 0.",
  opa_data_exporter_pods: "How many pods are known.",
  opa_data_service_pods: "How many pods the service has.",
  opa_data_exporter_discovery_up: "1 if the list of pods is up to date, 0 if it may be outdated or could not be read.",
} as const

/** What one collection found; `digests` where they are taken. What was not read has no series. */
export function podFamilies(
  clusterName: string,
  paths: readonly Counted[],
  outcomes: readonly ReadOutcome[],
  rules: DigestRules,
  digests: DigestState | undefined,
): Family[] {
  const pods = outcomes.map((outcome) => ({ ...outcome, labels: podLabels(clusterName, outcome.target) }))
  const [read, unread] = [readIn(pods), unreadIn(pods)]
  const digesting =
    digests === undefined ? [] : read.map((row) => ({ ...row, pod: digests.pods.get(instanceKey(row.target)) }))
  const pathCounts = read.flatMap(({ labels, result }) =>
    paths.flatMap((path, index) => {
      const pathCount = result.pathCounts[index]
      return pathCount === undefined ? [] : [{ path, pathCount, labels: pathLabels(path.name, labels) }]
    }),
  )
  const ofKind = (kind: "cluster" | "namespaced") =>
    pathCounts.flatMap(({ path, pathCount, labels }) =>
      path[kind] && pathCount.kind === "counted" ? [{ labels, ...pathCount }] : [],
    )
  return [
    gauge("opa_cluster_data_items", ofKind("cluster"), ({ keys }) => keys),
    gauge("opa_namespaced_data_items", ofKind("namespaced"), ({ members = 0 }) => members),
    gauge("opa_namespaced_data_item_namespaces", ofKind("namespaced"), ({ keys }) => keys),
    gauge("opa_data_path_defined", pathCounts, ({ pathCount }) => (pathCount.kind === "undefined" ? 0 : 1)),
    gauge("opa_up", pods, ({ result }) => ("pathCounts" in result ? 1 : 0)),
    gauge(
      "opa_down_reason",
      unread.map(({ labels, result }) => ({ labels: { ...labels, reason: result.reason } })),
    ),
    gauge("opa_ready", pods, ({ target }) => (target.ready ? 1 : 0)),
    gauge(
      "opa_data_read_method",
      read.map(({ labels, result }) => ({ labels: { ...labels, method: result.method } })),
    ),
    gauge("opa_data_last_request_duration_seconds", read, ({ result }) => result.opaSeconds),
    gauge("opa_data_last_digest_request_duration_seconds", digesting, ({ pod }) => pod?.seconds),
    gauge("opa_data_digest_interval_seconds", digesting, ({ pod }) => digestInterval(rules, pod)),
    gauge("opa_data_digest_timestamp_seconds", digesting, ({ pod }) => pod?.at),
  ]
}

export function driftFamilies(clusterName: string, compared: readonly Compared[]): Family[] {
  const rows = compared.map(({ path, namespace, service, ...row }) => {
    const labels = { cluster_name: clusterName, data_path: path, opa_namespace: namespace, opa_service: service }
    return { labels, path, ...row }
  })
  const pods = rows.flatMap(({ path, targets, comparison }) =>
    targets.map((target) => ({ labels: pathLabels(path, podLabels(clusterName, target)), target, comparison })),
  )
  return [
    gauge("opa_data_in_sync", rows, ({ inSync }) => (inSync === undefined ? undefined : Number(inSync))),
    gauge("opa_data_items_spread", rows, ({ comparison }) => comparison.spread),
    gauge("opa_data_out_of_sync_since_timestamp_seconds", rows, ({ since }) => since && since / 1000),
    gauge("opa_data_compared_pods", rows, ({ comparison }) => comparison.replicas),
    gauge("opa_data_compared_digests", rows, ({ comparison }) => comparison.byDigest.size),
    gauge(
      "opa_data_not_compared_pods",
      rows.flatMap(({ labels, notCompared }) =>
        [...notCompared].map(([reason, count]) => ({ labels: { ...labels, reason }, count })),
      ),
      ({ count }) => count,
    ),
    gauge("opa_data_majority_pods", rows, ({ comparison }) => comparison.majority),
    gauge("opa_data_deviates", pods, ({ target, comparison }) => (comparison.deviating.has(target.pod) ? 1 : 0)),
  ]
}

/** How many pods are known, in services and beside them such as have none; `problem` is why their list may be outdated. */
export function discoveryFamilies(
  clusterName: string,
  targets: readonly OpaTarget[],
  withoutPods: readonly Service[],
  problem: string | undefined,
): Family[] {
  const one = [{ labels: { cluster_name: clusterName } }]
  const services = new Map(
    [...withoutPods, ...targets].map(({ namespace, service }) => [
      serviceKey({ namespace, service }),
      { cluster_name: clusterName, opa_namespace: namespace, opa_service: service },
    ]),
  )
  const pods = Map.groupBy(targets, serviceKey)
  return [
    gauge("opa_data_exporter_pods", one, () => targets.length),
    gauge(
      "opa_data_service_pods",
      [...services].map(([key, labels]) => ({ labels, count: pods.get(key)?.length ?? 0 })),
      ({ count }) => count,
    ),
    gauge("opa_data_exporter_discovery_up", one, () => (problem === undefined ? 1 : 0)),
  ]
}

/** A series of each thing that has a value. */
function gauge<T extends { readonly labels: Labels }>(
  name: keyof typeof HELP,
  things: readonly T[],
  valueOf: (thing: T) => number | undefined = () => 1,
): Family {
  const samples = things.flatMap((thing) => {
    const value = valueOf(thing)
    return value === undefined ? [] : [{ labels: thing.labels, value }]
  })
  return { name, help: HELP[name], type: "gauge", samples }
}

/** In the order of the original's client library. */
function podLabels(clusterName: string, { namespace, service, pod, node }: OpaTarget) {
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
