import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeAuthority } from "../../testing/certificates.ts"
import { type RunningOpa, startOpa } from "../../testing/opa.ts"

/** What every OPA of a fleet has in common. */
export interface Ground {
  readonly opa: string
  readonly folder: string
  readonly ca: string
  readonly caFile: string
  /** What is undone at the end, newest first. */
  readonly closers: (() => unknown)[]
}

export const SERVER_NAME = "opa.example.org"
export const CLUSTER_PATH = "kubernetes/namespaces"
export const NAMESPACED_PATHS = ["kubernetes/services", "kubernetes/ingresses"]
/** As in the original's sample: objects, and the namespaces that they are in. */
const [NAMESPACES, SERVICES, INGRESSES] = [453, { objects: 991, in: 314 }, { objects: 524, in: 239 }]

export async function prepare(opa: string): Promise<Ground & { readonly flags: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  const authority = makeAuthority("bench")
  const { cert, key } = authority.issue({ name: SERVER_NAME, sans: [`DNS:${SERVER_NAME}`, "IP:127.0.0.1"] })
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const caFile = await write("ca.crt", authority.cert)
  const flags = [
    `--tls-cert-file=${await write("tls.crt", cert)}`,
    `--tls-private-key-file=${await write("tls.key", key)}`,
  ]
  const closers = [() => rm(folder, { recursive: true, force: true })]
  return { opa, folder, ca: authority.cert, caFile, closers, flags: [...flags, await write("admit.rego", ADMIT)] }
}

/** A decision that reads some of the data, as admission does. */
const ADMIT = `package bench
admit := {"known": count(data.kubernetes.services["ns-1"]), "namespace": data.kubernetes.namespaces[input.namespace].metadata.name}
`

/** An OPA over TLS with `factor` times the objects of the original's sample. */
export async function startFilled(
  ground: Ground & { readonly flags: readonly string[] },
  factor: number,
): Promise<RunningOpa> {
  const tls = { ca: ground.ca, serverName: SERVER_NAME }
  const opa = await startOpa(ground.opa, { tls, flags: ground.flags })
  ground.closers.unshift(() => opa.stop())
  const namespaces = Array.from({ length: NAMESPACES * factor }, (_, index) => `ns-${index}`)
  await opa.put(CLUSTER_PATH, Object.fromEntries(namespaces.map((name) => [name, objectNamed(name, "")])))
  for (const [path, kind] of [
    [NAMESPACED_PATHS[0] ?? "", SERVICES],
    [NAMESPACED_PATHS[1] ?? "", INGRESSES],
  ] as const) {
    const tree: Record<string, Record<string, unknown>> = {}
    for (let index = 0; index < kind.objects * factor; index++) {
      const [namespace, name] = [`ns-${index % (kind.in * factor)}`, `object-${index}`]
      tree[namespace] = { ...tree[namespace], [name]: objectNamed(name, namespace) }
    }
    await opa.put(path, tree)
  }
  return opa
}

/** 1.5 kB of JSON, as services with their managed fields are. */
function objectNamed(name: string, namespace: string) {
  const hash = Buffer.from(`${namespace}/${name}`).toString("hex").padEnd(40, "0")
  const manager = (index: number) => ({
    manager: `controller-${index}`,
    operation: "Update",
    apiVersion: "v1",
    time: "2026-03-10T12:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:metadata": { "f:annotations": { ".": {}, [`f:example.org/${hash.slice(0, 12)}`]: {} } } },
  })
  return {
    apiVersion: "v1",
    kind: "Object",
    metadata: {
      name,
      namespace,
      uid: `${hash.slice(0, 8)}-0000-4000-8000-${hash.slice(-12)}`,
      resourceVersion: String(1_000_000 + name.length),
      creationTimestamp: "2026-03-10T12:00:00Z",
      labels: { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": namespace, hash },
      managedFields: [manager(1), manager(2), manager(3), manager(4)],
    },
    spec: {
      ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }],
      selector: { app: name },
      type: "ClusterIP",
    },
    status: { loadBalancer: {}, conditions: [{ type: "Ready", status: "True", reason: "AsExpected", message: hash }] },
  }
}
