import { type Cleanup, startKubernetes } from "../../testing/kubernetes.ts"

/** Puts pods of a service `opa` into a real Kubernetes; with what an exporter needs to find them. */
export async function startPods(
  kube: string,
  addresses: readonly string[],
  port: number,
  closers: (() => unknown)[],
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly args: readonly string[] }> {
  const scope: Cleanup = { after: (close) => closers.unshift(close) }
  const { kubectl, account } = await startKubernetes(scope, kube)
  await kubectl(["create", "namespace", "opa"])
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "opa-1", namespace: "opa", labels: { "kubernetes.io/service-name": "opa" } },
    addressType: "FQDN", // loopback is allowed as a name only
    ports: [{ name: "https", port, protocol: "TCP" }],
    endpoints: addresses.map((address, index) => ({
      addresses: [address],
      conditions: { ready: true },
      nodeName: `node-${index % 50}`,
      targetRef: { kind: "Pod", namespace: "opa", name: `opa-${index}`, uid: `uid-${index}` },
    })),
  }
  await kubectl(["create", "-f", "-"], JSON.stringify(slice))
  const kubeconfig = await account("opa/reader", "get,list,watch", "endpointslices.discovery.k8s.io")
  return { env: { KUBECONFIG: kubeconfig }, args: [] }
}
