import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { need } from "../../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { findKubernetes, type RunningKubernetes, startKubernetes } from "../../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../../dev/testing/until.ts"
import { UsageError } from "#core/errors.ts"
import { createLogger } from "#core/log/logger.ts"
import type { OpaTargets } from "../target.ts"
import { type KubernetesOptions, kubernetesTargets } from "./targets.ts"

test("OPA pods are found in a real Kubernetes", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl, kubeconfig } = kubernetes
  await kubectl(["create", "namespace", "opa"])
  const reader = await kubernetes.account("opa/reader", "list,watch", "endpointslices.discovery.k8s.io")

  await outer.test("pods come, change, become ready and go, and what was read before stays as it was", async (t) => {
    const targets = await open(t, reader, { services: ["moving"] })
    await apply(kubernetes, slice("moving", "moving-1", [pod("a", "10.0.0.1"), pod("b", "10.0.0.2", false)]))
    await shows(targets, ["moving a 10.0.0.1:8443 ready", "moving b 10.0.0.2:8443"])
    const before = targets.current()
    await apply(kubernetes, slice("moving", "moving-1", [pod("b", "10.0.0.2")]))
    await apply(kubernetes, slice("moving", "moving-2", [pod("c", "10.0.0.3")]))
    await shows(targets, ["moving b 10.0.0.2:8443 ready", "moving c 10.0.0.3:8443 ready"])
    assert.deepEqual(before.map(inShort), ["moving a 10.0.0.1:8443 ready", "moving b 10.0.0.2:8443"])
    await kubectl(["delete", "endpointslice", "-n", "opa", "moving-1"])
    await shows(targets, ["moving c 10.0.0.3:8443 ready"])
    assert.equal(targets.problem(), undefined)
  })

  await outer.test("a pod of two address families is there once, with node and all", async (t) => {
    await apply(
      kubernetes,
      slice("dual", "dual-6", [pod("a", "fd00::1")], { addressType: "IPv6" }),
      slice("dual", "dual-4", [pod("a", "10.0.0.1")]),
    )
    const targets = await open(t, reader, { services: ["dual"], port: "https" })
    await targets.first
    assert.deepEqual(targets.current(), [
      {
        pod: "a",
        node: "node-of-a",
        namespace: "opa",
        service: "dual",
        address: "10.0.0.1",
        port: 8443,
        scheme: "https",
        path: "",
        ready: true,
      },
    ])
  })

  await outer.test("services are found by name and by label together, each slice once", async (t) => {
    const label = { labels: { app: "opa" } }
    await apply(
      kubernetes,
      slice("first", "first-1", [pod("a", "10.0.0.1")]),
      slice("second", "second-1", [pod("b", "10.0.0.2")], label),
      slice("third", "third-1", [pod("c", "10.0.0.3")], label),
    )
    const targets = await open(t, reader, { services: ["first", "second"], selector: "app in (opa)" })
    await shows(targets, ["first a 10.0.0.1:8443 ready", "second b 10.0.0.2:8443 ready", "third c 10.0.0.3:8443 ready"])
  })

  await outer.test("a service that is not there is reported, until it is", async (t) => {
    const targets = await open(t, reader, { services: ["late"] })
    assert.equal(targets.problem(), undefined) // the first list is still to come
    await targets.first
    assert.equal(targets.problem(), "There is no service late in the namespace opa.")
    await apply(kubernetes, slice("late", "late-1", [pod("a", "10.0.0.1")]))
    await shows(targets, ["late a 10.0.0.1:8443 ready"])
    assert.equal(targets.problem(), undefined)
  })

  await outer.test("services without pods, and several that are not there, are reported each", async (t) => {
    await apply(
      kubernetes,
      slice("scaled-down", "scaled-down-1", []),
      slice("inhabited", "inhabited-1", [pod("a", "10.0.0.1")]),
    )
    const targets = await open(t, reader, { services: ["scaled-down", "inhabited", "gone", "never"] })
    await targets.first
    assert.deepEqual(targets.withoutPods(), [{ namespace: "opa", service: "scaled-down" }])
    assert.equal(
      targets.problem(),
      "There is no service gone in the namespace opa. There is no service never in the namespace opa.",
    )
    await apply(kubernetes, slice("scaled-down", "scaled-down-1", [pod("b", "10.0.0.2")]))
    await until("the pod", () => (targets.withoutPods().length === 0 ? true : undefined))
  })

  await outer.test("labels that no service has are reported", async (t) => {
    const targets = await open(t, reader, { selector: "app=none" })
    await targets.first
    assert.equal(targets.problem(), "No service in the namespace opa has the labels app=none.")
  })

  await outer.test("a port that the service lacks is reported", async (t) => {
    await apply(kubernetes, slice("ported", "ported-1", [pod("a", "10.0.0.1")]))
    const targets = await open(t, reader, { services: ["ported"], port: "mgmt" })
    await targets.first
    assert.equal(targets.problem(), "The service ported has no port mgmt; it has: https (8443).")
  })

  await outer.test(
    "an account with get on endpoints alone, as the original needs, has its pods from there",
    async (t) => {
      await apply(kubernetes, slice("old", "old-1", [pod("slice", "10.0.0.9")]), endpoints("old"))
      const account = await kubernetes.account("opa/original", "get", "endpoints")
      const targets = await open(t, account, { services: ["old"] })
      await targets.first
      assert.deepEqual(targets.current().map(inShort), ["old a 10.0.0.1:8443 ready", "old b 10.0.0.2:8443"])
      assert.equal(targets.problem(), undefined)
    },
  )

  await outer.test("a service that has Endpoints only is found by them", async (t) => {
    await apply(kubernetes, endpoints("only"))
    const targets = await open(t, kubeconfig, { services: ["only"] })
    await targets.first
    assert.deepEqual(targets.current().map(inShort), ["only a 10.0.0.1:8443 ready", "only b 10.0.0.2:8443"])
    assert.equal(targets.problem(), undefined)
  })

  await outer.test("pods of Endpoints that may not be read any more stay, with the problem", async (t) => {
    await apply(kubernetes, endpoints("stale"))
    const resources = "endpoints,endpointslices.discovery.k8s.io"
    const targets = await open(t, await kubernetes.account("opa/stale", "get,list,watch", resources), {
      services: ["stale"],
    })
    await shows(targets, ["stale a 10.0.0.1:8443 ready", "stale b 10.0.0.2:8443"])
    assert.equal(targets.problem(), undefined)
    await kubernetes.account("opa/stale", "list,watch", "endpointslices.discovery.k8s.io")
    const problem = await until("the problem", () => targets.problem())
    assert.match(problem, /^Kubernetes refused to get endpoints stale in the namespace opa \(403\): /)
    assert.deepEqual(targets.current().map(inShort), ["stale a 10.0.0.1:8443 ready", "stale b 10.0.0.2:8443"])
  })

  await outer.test("an account without rights learns the rule that it lacks", async (t) => {
    const targets = await open(t, await kubernetes.account("opa/nobody"), { services: ["moving"] })
    await targets.first
    assert.deepEqual(targets.current(), [])
    assert.equal(
      targets.problem(),
      'Kubernetes refused to list endpointslices.discovery.k8s.io in the namespace opa (403): the account needs the rule {apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list]}. Response: endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:opa:nobody" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "opa"',
    )
  })

  await outer.test("while the API is away the pods stay, with the problem", async (t) => {
    await apply(kubernetes, slice("steady", "steady-1", [pod("a", "10.0.0.1")]))
    const targets = await open(t, reader, { services: ["steady"] })
    await shows(targets, ["steady a 10.0.0.1:8443 ready"])
    await kubernetes.stopApi("torn")
    const problem = await until("the problem", () => targets.problem())
    assert.match(problem, /^watch endpointslices\.discovery\.k8s\.io in the namespace opa: /)
    assert.deepEqual(targets.current().map(inShort), ["steady a 10.0.0.1:8443 ready"])
    await kubernetes.startApi()
    await until("no problem", () => (targets.problem() === undefined ? true : undefined))
  })

  await outer.test(
    "rights that are taken away make the pods outdated, or found by Endpoints where those may be read",
    async (t) => {
      const watching = ["list,watch", "endpointslices.discovery.k8s.io"] as const
      const lost = await kubernetes.account("opa/lost", ...watching)
      const older = await kubernetes.account("opa/older", ...watching)
      await apply(kubernetes, slice("kept", "kept-1", [pod("c", "10.0.0.3")]))
      const [outdated, other] = [
        await open(t, lost, { services: ["kept"] }),
        await open(t, older, { services: ["kept"] }),
      ]
      for (const targets of [outdated, other]) await shows(targets, ["kept c 10.0.0.3:8443 ready"])
      await kubernetes.account("opa/older", "get", "endpoints")
      await kubectl(["delete", "clusterrolebinding", "opa:lost"])
      await apply(kubernetes, endpoints("kept"))
      // watches that are open outlive rights
      await kubernetes.stopApi()
      await kubernetes.startApi()
      await shows(other, ["kept a 10.0.0.1:8443 ready", "kept b 10.0.0.2:8443"])
      await until("no problem", () => (other.problem() === undefined ? true : undefined))
      await until("the problem", () =>
        /refused to list endpointslices.*\(403\)/.test(outdated.problem() ?? "") ? true : undefined,
      )
      assert.deepEqual(outdated.current().map(inShort), ["kept c 10.0.0.3:8443 ready"])
    },
  )
})

test("what cannot be a name or port is a fault of its flag", async (t) => {
  await assert.rejects(open(t, "", { services: ["a,b)", "fine"], namespace: "A/b", port: "70000" }), (error) => {
    assert.ok(error instanceof UsageError)
    assert.equal(
      error.message,
      `--opa-service: must be the name of a service (is "a,b)")
--opa-namespace: must be the name of a namespace (is "A/b")
--opa-port: must be the name or number of a port (is "70000")`,
    )
    return true
  })
})

test("where no Kubernetes is known, the start names the flags to give", async (t) => {
  const { path } = temporaryFolder(t)
  await assert.rejects(open(t, `${path}/none`, { services: ["opa"] }), (error) => {
    assert.ok(error instanceof UsageError)
    const advice = "give --opa-url for an OPA outside of Kubernetes"
    assert.equal(error.message, `--kubeconfig: there is no file ${path}/none; ${advice}`)
    return true
  })
})

async function open(t: TestContext, kubeconfig: string, options: Partial<KubernetesOptions>): Promise<OpaTargets> {
  const targets = await kubernetesTargets({
    kubeconfig,
    context: undefined,
    namespace: "opa",
    services: [],
    selector: undefined,
    port: undefined,
    env: {},
    log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
    signal: t.signal,
    ...options,
  })
  t.after(() => targets.close())
  return targets
}

const inShort = ({ service, pod: name, address, port, ready }: ReturnType<OpaTargets["current"]>[number]): string =>
  `${service} ${name} ${address}:${port}${ready ? " ready" : ""}`

async function shows(targets: OpaTargets, expected: readonly string[]): Promise<void> {
  await until(`pods ${expected.join(", ")}`, () => {
    assert.deepEqual(targets.current().map(inShort), expected)
    return true
  })
}

const ref = (name: string) => ({ kind: "Pod", name, namespace: "opa", uid: `uid-of-${name}` })

function pod(name: string, address: string, ready = true) {
  return { addresses: [address], conditions: { ready }, nodeName: `node-of-${name}`, targetRef: ref(name) }
}

function slice(
  service: string,
  name: string,
  items: readonly ReturnType<typeof pod>[],
  { addressType = "IPv4", labels = {} }: { addressType?: string; labels?: Readonly<Record<string, string>> } = {},
) {
  const metadata = { name, namespace: "opa", labels: { ...labels, "kubernetes.io/service-name": service } }
  const ports = [{ name: "https", port: 8443, protocol: "TCP" }]
  return { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata, addressType, ports, endpoints: items }
}

function endpoints(name: string) {
  const addresses = [{ ip: "10.0.0.1", nodeName: "node-of-a", targetRef: ref("a") }]
  const notReadyAddresses = [{ ip: "10.0.0.2", nodeName: "node-of-b", targetRef: ref("b") }]
  const subsets = [{ addresses, notReadyAddresses, ports: [{ name: "https", port: 8443, protocol: "TCP" }] }]
  return { apiVersion: "v1", kind: "Endpoints", metadata: { name, namespace: "opa" }, subsets }
}

async function apply({ kubectl }: RunningKubernetes, ...items: readonly object[]): Promise<void> {
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }))
}
