import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { discoverKinds } from "#core/kubernetes/discovery.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import { listObjects } from "#core/kubernetes/list.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { Resource } from "#core/kubernetes/resource.ts"
import {
  type Facts,
  factsOfInfrastructure,
  factsOfMachine,
  firstFacts,
  type Miss,
  regionOfNode,
  textAt,
} from "./identity.ts"

const INFRASTRUCTURES: Resource = {
  group: "config.openshift.io",
  version: "v1",
  plural: "infrastructures",
  kind: "Infrastructure",
}
const CLUSTER_VERSIONS: Resource = {
  group: "config.openshift.io",
  version: "v1",
  plural: "clusterversions",
  kind: "ClusterVersion",
}
const MACHINES: Resource = { group: "machine.openshift.io", version: "v1beta1", plural: "machines", kind: "Machine" }
const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" }
const NODES: Resource = { group: "", version: "v1", plural: "nodes", kind: "Node" }

export interface Source {
  readonly name: string
  /** Reads once. Throws KubernetesError for what may go by, or concerns the API as a whole. */
  read(): Promise<Facts | Miss>
}

export type Sources = ReturnType<typeof sourcesOf>

/** What a cluster may be known by. Each is read when it is needed first. */
export function sourcesOf(api: KubernetesApi, namespace: string, signal: AbortSignal) {
  const one = (resource: Resource, name: string, factsOf: (object: unknown) => Facts): Source =>
    source(`${resource.plural}${resource.group === "" ? "" : `.${resource.group}`}/${name}`, async (from) => {
      const object = await objectsOf(api, resource).get({ name }, signal)
      return object === undefined ? { reason: `there is no ${from}`, forbidden: false } : factsOf(object)
    })
  return {
    infrastructure: one(INFRASTRUCTURES, "cluster", factsOfInfrastructure),
    clusterVersion: one(CLUSTER_VERSIONS, "version", (object) => ({ id: textAt(object, "spec", "clusterID") })),
    kubeSystem: one(NAMESPACES, "kube-system", (object) => ({
      id: textAt(object, "metadata", "uid"),
      platform: "Kubernetes",
    })),
    machine: source("the first Machine", async () => {
      const found: { readonly name: string; readonly facts: Facts }[] = []
      const keep = (object: { readonly metadata: { readonly name: string } }): void =>
        void found.push({ name: object.metadata.name, facts: factsOfMachine(object) })
      await listObjects(api, { resource: MACHINES, namespace }, keep, signal)
      if (found.length > 0) return firstFacts(found)
      return { reason: `there are no machines.machine.openshift.io in the namespace ${namespace}`, forbidden: false }
    }),
    node: source("the label of the first node", async () => {
      const found: { readonly name: string; readonly facts: Facts }[] = []
      await listObjects(
        api,
        { resource: NODES },
        (object) => void found.push({ name: object.metadata.name, facts: { region: regionOfNode(object) } }),
        signal,
      )
      const facts = firstFacts(found)
      if (facts.region !== undefined) return facts
      return { reason: "no node has the label topology.kubernetes.io/region", forbidden: false }
    }),
    /** Neither of OpenShift's kinds is served; without rights on one the API forbids to read it even then. */
    isPlain: async (): Promise<boolean> => {
      const groups = await Promise.all(
        [INFRASTRUCTURES, MACHINES].map(({ group, plural }) =>
          discoverKinds(api, group, signal).then((kinds) => kinds.has(plural)),
        ),
      )
      return !groups.includes(true)
    },
  }
}

function source(name: string, load: (name: string) => Promise<Facts | Miss>): Source {
  let reading: Promise<Facts | Miss> | undefined
  return {
    name,
    read() {
      reading ??= load(name).catch((error: unknown) => {
        if (!(error instanceof KubernetesError)) throw error
        if (error.statusCode === 403) return { reason: error.message, forbidden: true }
        if (error.statusCode === 404) return { reason: error.message, forbidden: false }
        throw error
      })
      return reading
    },
  }
}
