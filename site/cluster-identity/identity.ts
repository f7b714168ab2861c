/** Where the cluster id may be read. `auto`: infrastructure, machine, and on plain Kubernetes kube-system. */
export const ID_SOURCES = ["auto", "infrastructure", "machine", "clusterversion", "kube-system"] as const
export type IdSource = (typeof ID_SOURCES)[number]

/** What one source knows of the cluster. */
export interface Facts {
  readonly id?: string | undefined
  readonly region?: string | undefined
  /** As `status.platformStatus.type` names it: `AWS`. */
  readonly platform?: string | undefined
}

/** Why a source knows nothing. */
export interface Miss {
  readonly reason: string
  readonly forbidden: boolean
}

export interface Named {
  readonly value: string
  /** In words: `infrastructures.config.openshift.io/cluster`. */
  readonly from: string
}

export interface Identity {
  readonly id: Named
  readonly platform: string | undefined
  readonly region: Named | Miss
}

/** Platforms of OpenShift on which nothing needs to have a region. */
const WITHOUT_REGION = new Set([
  "None",
  "BareMetal",
  "VSphere",
  "Nutanix",
  "Ovirt",
  "External",
  "Libvirt",
  "KubeVirt",
  "EquinixMetal",
])
/** On these it is found where there is one, and what may not be read may hold it. */
const MAY_LACK_REGION = new Set([...WITHOUT_REGION, "OpenStack", "Kubernetes"])

/** Whether to go on without a region that was not found. */
export function mayLackRegion(platform: string | undefined, { forbidden }: Miss): boolean {
  return (forbidden ? WITHOUT_REGION : MAY_LACK_REGION).has(platform ?? "")
}

/** A text that is not empty at a path in an object of the API, whose fields may be anything. */
export function textAt(object: unknown, ...path: readonly string[]): string | undefined {
  let value = object
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return typeof value === "string" && value !== "" ? value : undefined
}

/** Of the Infrastructure `cluster` of config.openshift.io. */
export function factsOfInfrastructure(object: unknown): Facts {
  const at = (...path: readonly string[]) => textAt(object, "status", ...path)
  const region = REGIONS.map((path) => at("platformStatus", ...path)).find((found) => found !== undefined)
  return { id: at("infrastructureName"), platform: at("platformStatus", "type") ?? at("platform"), region }
}

const REGIONS = [
  ["aws", "region"],
  ["gcp", "region"],
  ["ibmcloud", "location"],
  ["powervs", "region"],
  ["alibabacloud", "region"],
]

const ID_LABEL = "machine.openshift.io/cluster-api-cluster"
const PLATFORMS: Readonly<Record<string, string>> = {
  AWSMachineProviderConfig: "AWS",
  GCPMachineProviderSpec: "GCP",
  AzureMachineProviderSpec: "Azure",
  OpenstackProviderSpec: "OpenStack",
  VSphereMachineProviderSpec: "VSphere",
}

/** AWS, GCP and Azure each name it otherwise; the label is set by the controllers of all platforms that have regions. */
export function factsOfMachine(object: unknown): Facts {
  const spec = (...path: readonly string[]) => textAt(object, "spec", "providerSpec", "value", ...path)
  const label = (name: string) => textAt(object, "metadata", "labels", name)
  const region =
    spec("placement", "region") ?? spec("region") ?? spec("location") ?? label("machine.openshift.io/region")
  return { id: label(ID_LABEL), platform: PLATFORMS[spec("kind") ?? ""], region }
}

/** The second label is the one of Kubernetes before 1.17. */
export const regionOfNode = (object: unknown): string | undefined =>
  textAt(object, "metadata", "labels", "topology.kubernetes.io/region") ??
  textAt(object, "metadata", "labels", "failure-domain.beta.kubernetes.io/region")

/** Of several objects: each fact from the first that has it, in the order of their names. The API's own order is not promised. */
export function firstFacts(all: readonly { readonly name: string; readonly facts: Facts }[]): Facts {
  const sorted = all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ facts }) => facts)
  const first = (key: keyof Facts): string | undefined => sorted.find((facts) => facts[key] !== undefined)?.[key]
  return { id: first("id"), region: first("region"), platform: first("platform") }
}
