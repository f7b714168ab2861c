import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"
import { type Endpoint, type ObjectReference, podOf, type PortObject, portsOf, type Slice } from "./slice.ts"

/** What came before EndpointSlices, deprecated since Kubernetes 1.33. One object per service, of its name. */
export const ENDPOINTS: Resource<Endpoints> = { group: "", version: "v1", plural: "endpoints", kind: "Endpoints" }

interface Address {
  readonly ip?: string
  readonly nodeName?: string | null
  readonly targetRef?: ObjectReference | null
}

export interface Endpoints extends KubernetesObject {
  readonly subsets?:
    | readonly {
        readonly addresses?: readonly Address[] | null
        readonly notReadyAddresses?: readonly Address[] | null
        readonly ports?: readonly PortObject[] | null
      }[]
    | null
}

/** The same as the slices of the service would say, but for a second address of dual stack, which is not told here. */
export function slicesOf({ metadata, subsets }: Endpoints): readonly Slice[] {
  return (subsets ?? []).map(({ addresses, notReadyAddresses, ports }) => ({
    service: metadata.name,
    addressType: "IPv4",
    ports: portsOf(ports),
    endpoints: [...endpointsOf(addresses, true), ...endpointsOf(notReadyAddresses, false)],
  }))
}

function endpointsOf(addresses: readonly Address[] | null | undefined, ready: boolean): readonly Endpoint[] {
  return (addresses ?? []).flatMap(({ ip, nodeName, targetRef }): Endpoint[] =>
    ip === undefined ? [] : [{ address: ip, pod: podOf(targetRef), node: nodeName ?? "", ready }],
  )
}
