import assert from "node:assert/strict"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../dev/testing/cortex.ts"
import { findKubernetes, startKubernetes } from "../../../dev/testing/kubernetes.ts"
import { until } from "../../../dev/testing/until.ts"
import { becomes, CRD, groupsAt, recordWrites, startTestInformer } from "./testing.ts"

const MANIFESTS = join(import.meta.dirname, "../../kubernetes/rules-informer")

const SYNCED = 'resources{condition="Synced",status="True"}'

test("rights and replicas of the rules informer", { timeout: 300_000 }, async (outer) => {
  const [kube, cortex] = [need(outer, findKubernetes()), need(outer, findCortex())]
  if (kube === undefined || cortex === undefined) return
  const [kubernetes, { url: ruler }] = await Promise.all([startKubernetes(outer, kube), startCortex(outer, cortex)])
  const { kubectl } = kubernetes
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  for (const namespace of ["tenancy", "one", "two"]) await kubectl(["create", "namespace", namespace])
  await kubectl(["apply", "-k", MANIFESTS])
  await kubectl(["apply", "-n", "one", "-k", join(MANIFESTS, "namespace")])
  const kubeconfig = await kubernetes.account("tenancy/rules-informer")
  const recorded = await recordWrites(outer, ruler)
  const args = ["--kubeconfig", kubeconfig, "--lease-namespace", "tenancy", "--ruler-upstream-url", recorded.url]
  const start = (t: TestContext, ...more: readonly string[]) => startTestInformer(t, [...args, ...more])
  const apply = (namespace: string, ...groups: readonly string[]) =>
    kubectl(["apply", "-f", "-"], JSON.stringify(object(namespace, groups)))
  const remove = (namespace: string) => kubectl(["delete", "openmetricsrule", "-n", namespace, "a", "--timeout=20s"])
  const events = async (namespace: string): Promise<readonly string[]> => {
    const text = await kubectl(["get", "events.events.k8s.io", "-n", namespace, "-o", "json"])
    return (JSON.parse(text) as { items: { reason: string }[] }).items.map(({ reason }) => reason)
  }
  /** All that the informer does to a resource, in these namespaces. */
  const works = async (t: TestContext, namespaces: readonly string[], ...more: readonly string[]) => {
    const informer = await start(t, ...more)
    for (const namespace of namespaces) {
      await apply(namespace, namespace)
      await becomes(ruler, "red", { [namespace]: [namespace] })
      await until("the Event", async () => (await events(namespace)).includes("Synced"))
      await remove(namespace)
      await becomes(ruler, "red", {})
    }
    assert.equal(
      informer
        .log()
        .match(/level=(?:warn|error).*/g)
        ?.join("\n"),
      undefined,
    )
    await informer.close()
  }

  await outer.test("Roles in its own namespace and another suffice there", async (t) => {
    await works(t, ["tenancy", "one"], "--namespace", "tenancy", "--namespace", "one")
  })

  await outer.test("a namespace whose Role is gone keeps its groups, while others are kept in step", async (t) => {
    const role = ["-n", "two", "-k", join(MANIFESTS, "namespace")]
    await kubectl(["apply", ...role])
    const before = await start(t, "--namespace", "one,two")
    await apply("one", "first", "second")
    await apply("two", "a")
    await becomes(ruler, "red", { one: ["first", "second"], two: ["a"] })
    await until("the ledger", async () => (await metric(before.url, SYNCED)) === "2")
    await before.close()
    await kubectl(["delete", ...role])
    await kubectl(["delete", "openmetricsrule", "-n", "two", "a", "--wait=false"])

    const informer = await start(t, "--namespace", "one,two")
    await until("the refusal", async () =>
      (await informer.ready()).startsWith("503 The resources of the namespace two are not known: Kubernetes refused"),
    )
    await apply("one", "second", "third")
    await becomes(ruler, "red", { one: ["second", "third"], two: ["a"] })
    await kubectl(["apply", ...role])
    await becomes(ruler, "red", { one: ["second", "third"] })
    await until("the informer to be ready", async () => (await informer.ready()) === "200 Ready.")
    await remove("one")
    await becomes(ruler, "red", {})
    await kubectl(["delete", ...role])
  })

  await outer.test("the ClusterRole suffices for all namespaces, and for those with a label", async (t) => {
    await kubectl(["apply", "-k", join(MANIFESTS, "cluster")])
    await works(t, ["tenancy", "one", "two"], "--all-namespaces")
    await kubectl(["label", "namespace", "two", "rules=yes"])
    await works(t, ["two"], "--namespace-selector", "rules=yes")
  })

  await outer.test("one of two replicas writes, and the other goes on where it ends", async (t) => {
    const replica = (name: string) => start(t, "--namespace", "one", "--lease-identity", name, "--lease-duration", "3s")
    const first = await replica("first")
    await until("the first to hold the Lease", async () => (await metric(first.url, "lease_held")) === "1")
    const second = await replica("second")
    await until(
      "both to be ready",
      async () => (await second.ready()) === "200 Ready." && (await first.ready()) === "200 Ready.",
    )
    await apply("one", "a", "b")
    await becomes(ruler, "red", { one: ["a", "b"] })
    await until("the ledger", async () => (await metric(first.url, SYNCED)) === "1")
    recorded.writes()
    await first.close()
    await until("the second to hold it", async () => (await metric(second.url, "lease_held")) === "1")
    await until("the second to be ready", async () => (await second.ready()) === "200 Ready.")
    assert.deepEqual(recorded.writes(), [])
    await apply("one", "b")
    await becomes(ruler, "red", { one: ["b"] })
    assert.deepEqual(recorded.writes(), ["delete red one/a"])
    assert.deepEqual(await groupsAt(ruler, "red"), { one: ["b"] })
  })
})

async function metric(url: string, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split("\n").find((one) => one.startsWith(`fedstack_rules_informer_${name} `))
  return line?.split(" ").at(-1)
}

const object = (namespace: string, groups: readonly string[]) => ({
  ...{ apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule", metadata: { namespace, name: "a" } },
  spec: { tenants: ["red"], groups: groups.map((name) => ({ name, rules: [{ record: "a:b", expr: "up" }] })) },
})
