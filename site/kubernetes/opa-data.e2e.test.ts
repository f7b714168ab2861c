import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { parse, parseAllDocuments } from "yaml"
import { type Authority, makeAuthority } from "../../dev/testing/certificates.ts"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { findOpa, startOpa } from "../../dev/testing/opa.ts"
import { linesOf, rightsOf, SERVICE_MONITORS } from "./testing.ts"

const FEDSTACK = join(import.meta.dirname, "../../bin/fedstack")
const MANIFESTS = join(import.meta.dirname, "opa-data")
const ORIGINAL = join(import.meta.dirname, "testdata/original.yaml")

test("the manifests of the exporter of OPA data", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  const opa = need(outer, findOpa())
  if (kube === undefined || opa === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl } = kubernetes
  await kubectl(["create", "namespace", "opa"])
  const made = [
    "serviceaccount/opa-data-exporter created",
    "role.rbac.authorization.k8s.io/opa-data-exporter created",
    "rolebinding.rbac.authorization.k8s.io/opa-data-exporter created",
    "service/opa-data-exporter created",
    "deployment.apps/opa-data-exporter created",
    "networkpolicy.networking.k8s.io/opa-data-exporter created",
  ]

  await outer.test("a real API takes them, without a warning", async () => {
    const dry = await kubectl([
      "apply",
      "-k",
      MANIFESTS,
      "--dry-run=server",
      "--validate=strict",
      "--warnings-as-errors",
    ])
    assert.deepEqual(
      linesOf(dry),
      made.map((line) => `${line} (server dry run)`),
    )
    assert.deepEqual(linesOf(await kubectl(["apply", "-k", MANIFESTS, "--warnings-as-errors"])), made)
  })

  await outer.test("its pod keeps to the strictest of the pod security standards", async () => {
    await kubectl(["create", "namespace", "strict"])
    await kubectl(["label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted"])
    const { metadata, spec } = (await readDeployment(join(MANIFESTS, "deployment.yaml"))).spec.template
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "exporter" }, spec }
    assert.equal(await kubectl(["apply", "-n", "strict", "-f", "-"], JSON.stringify(pod)), "pod/exporter created\n")
  })

  await outer.test("its account may list EndpointSlices of its namespace and nothing else", async () => {
    const rights = (namespace: string) => rightsOf(kubernetes, "opa/opa-data-exporter", namespace)
    assert.deepEqual(await rights("opa"), ["list, watch endpointslices.discovery.k8s.io"])
    assert.deepEqual(await rights("default"), [])
  })

  await outer.test("started as its container is, it reads OPA over TLS by the account's token", async (t) => {
    const authority = makeAuthority("a private authority")
    const { write, path } = temporaryFolder(t)
    const { port } = await startGuardedOpa(t, opa, authority)
    await write("ca.crt", authority.cert)
    await write("token", "mgmt")
    await kubectl(["apply", "-f", "-"], sliceOf(port))
    const { args, env } = await containerOf(join(MANIFESTS, "deployment.yaml"))
    const here = Object.entries(env).map(([name, value]) => [name, value.replace("/run/opa", path)])
    const text = await single(t, args, {
      ...Object.fromEntries(here),
      KUBECONFIG: await kubernetes.account("opa/opa-data-exporter"),
    })
    const labels = 'cluster_name="cluster-name"'
    const pod = 'node_name="node-a",opa_namespace="opa",opa_service="opa-service",pod_name="opa-0"'
    assert.deepEqual(
      linesOf(text).filter((line) =>
        /^(?:opa_up|opa_cluster_data_items|opa_data_exporter_(?:pods|discovery_up))\{/.test(line),
      ),
      [
        `opa_cluster_data_items{${labels},data_path="kubernetes/namespaces",${pod}} 2`,
        `opa_up{${labels},${pod}} 1`,
        `opa_data_exporter_pods{${labels}} 1`,
        `opa_data_exporter_discovery_up{${labels}} 1`,
      ],
    )
  })

  await outer.test("the original's rights and environment are enough", async (t) => {
    await kubectl(["delete", "deployment", "-n", "opa", "opa-data-exporter"])
    await kubectl(["apply", "-f", ORIGINAL, "--warnings-as-errors"])
    // Endpoints take no address of loopback: a service that has no pods shows as much
    const endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { name: "opa-service", namespace: "opa" } }
    await kubectl(["apply", "-f", "-"], JSON.stringify(endpoints))
    const { env } = await containerOf(ORIGINAL)
    const account = { ...env, KUBECONFIG: await kubernetes.account("opa/opa-monitoring") }
    const text = await single(t, ["exporter", "opa-data"], account, 1)
    assert.match(
      text,
      /^fedstack: Not everything could be read\. service opa-service: it has no pods in the namespace opa: look at what it selects$/m,
    )
    assert.deepEqual(
      linesOf(text).filter((line) => /^opa_data_(?:exporter_pods|service_pods|exporter_discovery_up)/.test(line)),
      [
        'opa_data_exporter_pods{cluster_name="cluster-name"} 0',
        'opa_data_service_pods{cluster_name="cluster-name",opa_namespace="opa",opa_service="opa-service"} 0',
        'opa_data_exporter_discovery_up{cluster_name="cluster-name"} 1',
      ],
    )
  })

  await outer.test("the ServiceMonitor is taken where the kind is known", async () => {
    await kubectl(["apply", "-f", "-"], JSON.stringify(SERVICE_MONITORS))
    await kubectl(["wait", "--for=condition=Established", `crd/${SERVICE_MONITORS.metadata.name}`])
    const monitor = ["apply", "-f", join(MANIFESTS, "servicemonitor.yaml"), "--validate=strict", "--warnings-as-errors"]
    assert.equal(await kubectl(monitor), "servicemonitor.monitoring.coreos.com/opa-data-exporter created\n")
  })
})

test("service, monitor and network policy name the port that the container has", async () => {
  const read = async (name: string) => parse(await readFile(join(MANIFESTS, name), "utf8")) as never
  const service: { spec: { ports: { name: string; targetPort: string }[] } } = await read("service.yaml")
  const monitor: { spec: { endpoints: { port: string }[] } } = await read("servicemonitor.yaml")
  const policy: { spec: { ingress: { ports: { port: string }[] }[] } } = await read("networkpolicy.yaml")
  const { ports } = await containerOf(join(MANIFESTS, "deployment.yaml"))
  assert.deepEqual(ports, [{ name: "metrics", containerPort: 9999, protocol: "TCP" }])
  assert.deepEqual(
    service.spec.ports.map(({ name, targetPort }) => [name, targetPort]),
    [["metrics", "metrics"]],
  )
  assert.deepEqual(
    monitor.spec.endpoints.map(({ port }) => port),
    ["metrics"],
  )
  assert.deepEqual(
    policy.spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port)),
    ["metrics"],
  )
})

const SERVER_NAME = "opa-service.opa.svc"

interface Container {
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports: readonly object[]
}

interface Deployment {
  readonly kind: string
  readonly spec: {
    readonly template: { readonly metadata: object; readonly spec: { readonly containers: readonly Container[] } }
  }
}

async function readDeployment(file: string): Promise<Deployment> {
  const documents = parseAllDocuments(await readFile(file, "utf8")).map((document) => document.toJS() as Deployment)
  const found = documents.find(({ kind }) => kind === "Deployment")
  if (found === undefined) throw new Error(`${file} holds no Deployment`)
  return found
}

async function containerOf(file: string) {
  const [container] = (await readDeployment(file)).spec.template.spec.containers
  if (container === undefined) throw new Error(`${file} has no container`)
  const { args = [], env, ports } = container
  return { args, env: Object.fromEntries(env.map(({ name, value }) => [name, value])), ports }
}

/** What the exporter prints for one collection. */
async function single(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  exitCode = 0,
): Promise<string> {
  const exporter = start(FEDSTACK, [...args, "--single"], env)
  t.after(() => exporter.stop())
  assert.equal(await exporter.ended, exitCode, exporter.output())
  return exporter.output()
}

/** An OPA with two namespaces in it, which answers nobody without its token. */
async function startGuardedOpa(t: TestContext, folder: string, authority: Authority) {
  const { write } = temporaryFolder(t)
  const { cert, key } = authority.issue({ name: "opa", sans: [`DNS:${SERVER_NAME}`] })
  const policy = `package system.authz
default allow := false
allow if input.identity == "mgmt"
`
  const flags = [
    `--tls-cert-file=${await write("tls.crt", cert)}`,
    `--tls-private-key-file=${await write("tls.key", key)}`,
    "--authentication=token",
    "--authorization=basic",
    await write("authz.rego", policy),
  ]
  const opa = await startOpa(folder, { flags, token: "mgmt", tls: { ca: authority.cert, serverName: SERVER_NAME } })
  t.after(() => opa.stop())
  const item = { metadata: { resourceVersion: "1" } }
  await opa.put("kubernetes/namespaces", { a: item, b: item })
  return opa
}

/** Loopback is allowed as a name only. */
function sliceOf(port: number): string {
  return JSON.stringify({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "opa-1", namespace: "opa", labels: { "kubernetes.io/service-name": "opa-service" } },
    addressType: "FQDN",
    ports: [{ name: "https", port, protocol: "TCP" }],
    endpoints: [{ addresses: ["127.0.0.1"], nodeName: "node-a", targetRef: { kind: "Pod", name: "opa-0" } }],
  })
}
