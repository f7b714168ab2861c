import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/ */
export const SLICES: Resource<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  plural: "endpointslices",
  kind: "EndpointSlice",
}
/** What names the service that a slice belongs to. Its other labels are those of that service. */
export const SERVICE_NAME = "kubernetes.io/service-name"

export interface Port {
  readonly name: string
  readonly port: number
  readonly appProtocol: string
}

export interface SliceEndpoint {
  readonly address: string
  /** Name of the pod; undefined where the address is not that of a pod. */
  readonly pod: string | undefined
  readonly node: string
  readonly ready: boolean
}

/** Some of a service's addresses, which have the same ports. */
export interface Slice {
  readonly service: string
  readonly addressType: string
  readonly ports: readonly Port[]
  readonly endpoints: readonly SliceEndpoint[]
}

/** Where an address is. */
interface Placement {
  readonly nodeName?: string | null
  readonly targetRef?: { readonly kind?: string; readonly name?: string } | null
}

interface PortObject {
  readonly name?: string | null
  readonly port?: number | null
  readonly appProtocol?: string | null
  readonly protocol?: string | null
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType?: string
  readonly ports?: readonly PortObject[] | null
  readonly endpoints?:
    | readonly (Placement & {
        readonly addresses?: readonly string[]
        readonly conditions?: { readonly ready?: boolean | null }
      })[]
    | null
}

export function sliceOf({ metadata, addressType = "", ports, endpoints }: EndpointSlice): Slice {
  return {
    service: metadata.labels?.[SERVICE_NAME] ?? "",
    addressType,
    ports: portsOf(ports),
    // without a condition it is ready
    endpoints: (endpoints ?? []).flatMap(({ addresses: [address] = [], conditions, ...rest }) =>
      endpointOf(address, conditions?.ready ?? true, rest),
    ),
  }
}

function endpointOf(address: string | undefined, ready: boolean, { nodeName, targetRef }: Placement): SliceEndpoint[] {
  const pod = targetRef?.kind === "Pod" ? targetRef.name : undefined
  return address === undefined ? [] : [{ address, pod, node: nodeName ?? "", ready }]
}

function portsOf(ports: readonly PortObject[] | null | undefined): readonly Port[] {
  return (ports ?? []).flatMap(({ name, port, appProtocol, protocol }): Port[] =>
    // OPA speaks HTTP over TCP; a service may have ports of UDP beside it, such as one for DNS
    typeof port === "number" && (protocol ?? "TCP") === "TCP"
      ? [{ name: name ?? "", port, appProtocol: appProtocol ?? "" }]
      : [],
  )
}

/** What came before EndpointSlices, deprecated since Kubernetes 1.33. One object per service, of its name. */
export const ENDPOINTS: Resource<EndpointsObject> = { group: "", version: "v1", plural: "endpoints", kind: "Endpoints" }

type EndpointsAddress = Placement & { readonly ip?: string }

export interface EndpointsObject extends KubernetesObject {
  readonly subsets?:
    | readonly {
        readonly addresses?: readonly EndpointsAddress[] | null
        readonly notReadyAddresses?: readonly EndpointsAddress[] | null
        readonly ports?: readonly PortObject[] | null
      }[]
    | null
}

/** The same as the slices of the service, but for a second address of dual stack, which Endpoints do not have. */
export function slicesOf({ metadata, subsets }: EndpointsObject): readonly Slice[] {
  return (subsets ?? []).map(({ addresses, notReadyAddresses, ports }) => ({
    service: metadata.name,
    addressType: "IPv4",
    ports: portsOf(ports),
    endpoints: [
      ...(addresses ?? []).flatMap(({ ip, ...rest }) => endpointOf(ip, true, rest)),
      ...(notReadyAddresses ?? []).flatMap(({ ip, ...rest }) => endpointOf(ip, false, rest)),
    ],
  }))
}
