import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { linesOf, rightsOf, SERVICE_MONITORS } from "../../site/kubernetes/testing.ts"

const STRICT = ["--validate=strict", "--warnings-as-errors"]
const NAMESPACE = "tenancy"
/** As kubectl reads it: 0440 is octal. */
const YAML = { version: "1.1" } as const

export interface Component {
  /** Of its folder beside this file, and of everything in it. */
  readonly name: string
  /** What `apply -k` makes, such as `role.rbac.authorization.k8s.io`, in its order. */
  readonly kinds: readonly string[]
  /** What its account may do in its namespace. */
  readonly rights: readonly string[]
  /** Of the container, by name; `metrics` has health too. */
  readonly ports: Readonly<Record<string, number>> & { readonly metrics: number }
  /** Those of the Service; all unless set. */
  readonly served?: readonly string[]
  /** Of the container, to choose where it listens. */
  readonly addresses: readonly string[]
  /** Set in the Deployment; a HorizontalPodAutoscaler sets the number otherwise. */
  readonly replicas?: number
}

/** Tests of the manifests of a component of the portal in its namespace. */
export function testManifests(component: Component): void {
  const { name, kinds, rights, ports, addresses, replicas } = component
  const folder = join(import.meta.dirname, name)
  const read = async <T>(file: string): Promise<T> => parse(await readFile(join(folder, file), "utf8"), YAML) as T
  const made = kinds.map((kind) => `${kind}/${name} created`)

  test(`the manifests of ${name}`, { timeout: 300_000 }, async (outer) => {
    const kube = need(outer, findKubernetes())
    if (kube === undefined) return
    const kubernetes = await startKubernetes(outer, kube)
    const { kubectl } = kubernetes
    await kubectl(["create", "namespace", NAMESPACE])

    await outer.test("a real API takes them, without a warning", async () => {
      const dry = await kubectl(["apply", "-k", folder, "--dry-run=server", ...STRICT])
      assert.deepEqual(
        linesOf(dry),
        made.map((line) => `${line} (server dry run)`),
      )
      assert.deepEqual(linesOf(await kubectl(["apply", "-k", folder, ...STRICT])), made)
    })

    await outer.test("its pod keeps to the strictest of the pod security standards", async () => {
      await kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"])
      const { metadata, spec } = (await read<Deployment>("deployment.yaml")).spec.template
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "one" }, spec }
      assert.equal(await kubectl(["apply", "-n", NAMESPACE, "-f", "-"], JSON.stringify(pod)), "pod/one created\n")
    })

    const scaled =
      replicas === undefined
        ? "an apply after the HorizontalPodAutoscaler has set a number leaves that number"
        : `an apply sets ${replicas} replicas`
    await outer.test(scaled, async () => {
      await kubectl(["scale", "-n", NAMESPACE, `deployment/${name}`, "--replicas=5"])
      await kubectl(["apply", "-k", folder, ...STRICT])
      const path = ["-o", "jsonpath={.spec.replicas}"]
      assert.equal(await kubectl(["get", "-n", NAMESPACE, `deployment/${name}`, ...path]), String(replicas ?? 5))
    })

    await outer.test(`its account may ${rights.join(" and ") || "do nothing"}, and nothing else`, async () => {
      const account = `${NAMESPACE}/${name}`
      assert.deepEqual(await rightsOf(kubernetes, account, NAMESPACE), rights)
      assert.deepEqual(await rightsOf(kubernetes, account, "default"), [])
    })

    await outer.test("the ServiceMonitor is taken where the kind is known", async () => {
      await kubectl(["apply", "-f", "-"], JSON.stringify(SERVICE_MONITORS))
      await kubectl(["wait", "--for=condition=Established", `crd/${SERVICE_MONITORS.metadata.name}`])
      const apply = ["apply", "-f", join(folder, "servicemonitor.yaml"), ...STRICT]
      assert.equal(await kubectl(apply), `servicemonitor.monitoring.coreos.com/${name} created\n`)
    })
  })

  test(`service, monitor, probes and network policy name the port that the container of ${name} has`, async () => {
    const [container] = (await read<Deployment>("deployment.yaml")).spec.template.spec.containers
    assert.deepEqual(
      container?.ports,
      Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort, protocol: "TCP" })),
    )
    assert.deepEqual(
      container.args.filter((arg) => arg.includes("listen-address")),
      addresses,
    )
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"] as const)
      assert.equal(container[probe].httpGet.port, "metrics", probe)
    const service = await read<{ spec: { ports: object[] } }>("service.yaml")
    const { served = Object.keys(ports) } = component
    assert.deepEqual(
      service.spec.ports,
      served.map((port) => ({ name: port, port: ports[port], targetPort: port, protocol: "TCP" })),
    )
    const monitor = await read<{ spec: { endpoints: { port: string }[] } }>("servicemonitor.yaml")
    assert.deepEqual(
      monitor.spec.endpoints.map(({ port }) => port),
      ["metrics"],
    )
    const policy = await read<{ spec: { ingress: { ports: { port: string }[] }[] } }>("networkpolicy.yaml")
    assert.deepEqual(
      policy.spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port)),
      Object.keys(ports),
    )
  })
}

interface Probe {
  readonly httpGet: { readonly port: string }
}

interface Container {
  readonly args: readonly string[]
  readonly ports: readonly object[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Deployment {
  readonly spec: {
    readonly template: { readonly metadata: object; readonly spec: { readonly containers: readonly Container[] } }
  }
}
