import type { TestContext } from "node:test"
import { type OpaOptions, type RunningOpa, startOpa } from "../../../../dev/testing/opa.ts"

export const PATHS = [
  "--opa-cluster-data=kubernetes/namespaces",
  "--opa-namespaced-data=kubernetes/services,kubernetes/ingresses",
]
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** An object as Kubernetes has it, less what does not matter here. */
export const objectOf = (kind: string, name: string, version: number) => ({
  apiVersion: "v1",
  kind,
  metadata: { name, resourceVersion: String(version), labels: { app: name } },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
})

/** `count` objects spread over `namespaces` namespaces. */
function spread(kind: string, count: number, namespaces: number): Record<string, Record<string, unknown>> {
  const result: Record<string, Record<string, unknown>> = {}
  for (const index of range(count)) {
    const name = `${kind.toLowerCase()}-${index}`
    result[`ns-${index % namespaces}`] = { ...result[`ns-${index % namespaces}`], [name]: objectOf(kind, name, index) }
  }
  return result
}

/** As kube-mgmt does when it begins: each kind whole. */
export async function feed(opa: RunningOpa, [namespaces, services, ingresses]: readonly (readonly [number, number])[]) {
  const names = range(namespaces?.[0] ?? 0).map((index) => `ns-${index}`)
  await opa.put(
    "kubernetes/namespaces",
    Object.fromEntries(names.map((name, i) => [name, objectOf("Namespace", name, i)])),
  )
  await opa.put("kubernetes/services", spread("Service", ...(services ?? [0, 1])))
  await opa.put("kubernetes/ingresses", spread("Ingress", ...(ingresses ?? [0, 1])))
}

export const FEW = [
  [4, 1],
  [9, 3],
  [5, 2],
] as const

export async function opaOf(t: TestContext, folder: string, options: OpaOptions = {}): Promise<RunningOpa> {
  const opa = await startOpa(folder, options)
  t.after(() => opa.stop())
  return opa
}
