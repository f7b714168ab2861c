import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../dev/testing/cortex.ts"
import { findKubernetes, startKubernetes } from "../../../dev/testing/kubernetes.ts"
import { until } from "../../../dev/testing/until.ts"
import { FINALIZER, type RuleResource } from "./resources/rule-resource.ts"
import { becomes, CRD, groupsAt, recordWrites, startTestInformer } from "./testing.ts"

const group = (name: string, expr = "up == 0") => ({ name, rules: [{ alert: "Down", expr }] })

test("rules of a real Kubernetes API in a real Cortex", { timeout: 300_000 }, async (outer) => {
  const [kube, cortex] = [need(outer, findKubernetes()), need(outer, findCortex())]
  if (kube === undefined || cortex === undefined) return
  const [kubernetes, { url: ruler, ...cortexProcess }] = await Promise.all([
    startKubernetes(outer, kube),
    startCortex(outer, cortex),
  ])
  const { kubectl, kubeconfig } = kubernetes
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  for (const namespace of ["one", "two"]) await kubectl(["create", "namespace", namespace])
  const recorded = await recordWrites(outer, ruler)
  const args = ["--kubeconfig", kubeconfig, "--namespace", "one,two", "--ruler-upstream-url", recorded.url]
  const start = (t: TestContext, ...more: readonly string[]) => startTestInformer(t, [...args, ...more])
  const apply = (namespace: string, name: string, tenants: readonly string[], ...groups: readonly object[]) =>
    kubectl(["apply", "-f", "-"], JSON.stringify(object(namespace, name, tenants, groups)))
  const remove = (namespace: string, name: string) =>
    kubectl(["delete", "openmetricsrule", "-n", namespace, name, "--wait=false"])
  const read = async (namespace: string, name: string) =>
    JSON.parse(await kubectl(["get", "openmetricsrule", "-n", namespace, name, "-o", "json"])) as RuleResource
  const isSynced = (namespace: string, name: string) =>
    until(`${namespace}/${name} to be synced`, async () => {
      const { metadata, status } = await read(namespace, name)
      const all = status?.conditions?.map(({ type, status: is, observedGeneration }) => [type, is, observedGeneration])
      assert.deepEqual(all, [
        ["Accepted", "True", metadata.generation],
        ["Synced", "True", metadata.generation],
      ])
      return true
    })

  await outer.test(
    "created, edited, renamed, moved to another tenant and deleted, with no write more than needed",
    async (t) => {
      const informer = await start(t)
      await until("the informer to be ready", async () => (await informer.ready()) === "200 Ready.")
      await apply("one", "a", ["red", "blue"], group("first"), group("second"))
      await apply("two", "a", ["red"], group("first"))
      await isSynced("one", "a")
      await isSynced("two", "a")
      assert.deepEqual(await groupsAt(ruler, "red"), { one: ["first", "second"], two: ["first"] })
      assert.deepEqual(await groupsAt(ruler, "blue"), { one: ["first", "second"] })
      assert.deepEqual(recorded.writes().toSorted(), [
        ...["blue", "red"].flatMap((tenant) => [`set ${tenant} one/first`, `set ${tenant} one/second`]),
        "set red two/first",
      ])

      await apply("one", "a", ["red", "blue"], group("first", "up == 1"), group("second"))
      await isSynced("one", "a")
      assert.deepEqual(recorded.writes().toSorted(), ["set blue one/first", "set red one/first"])

      await apply("one", "a", ["red", "blue"], group("first", "up==1 # the same"), group("second"))
      await isSynced("one", "a")
      assert.deepEqual(recorded.writes(), [])

      await apply("one", "a", ["red", "blue"], group("first", "up == 1"), group("third"))
      await isSynced("one", "a")
      assert.deepEqual(
        recorded.writes().filter((one) => one.includes(" red ")),
        ["set red one/third", "delete red one/second"],
      )

      await apply("one", "a", ["blue", "green"], group("first", "up == 1"), group("third"))
      await isSynced("one", "a")
      await becomes(ruler, "red", { two: ["first"] })
      assert.deepEqual(recorded.writes().toSorted(), [
        "delete red one/first",
        "delete red one/third",
        "set green one/first",
        "set green one/third",
      ])
      const { metadata, status } = await read("one", "a")
      assert.deepEqual(metadata.finalizers, [FINALIZER])
      assert.deepEqual(
        status?.owned,
        ["first", "third"].map((name) => ({
          ...{ ruler: status?.owned?.[0]?.ruler, namespace: "one", group: name, tenants: ["blue", "green"] },
        })),
      )

      await remove("one", "a")
      await becomes(ruler, "blue", {})
      await becomes(ruler, "green", {})
      await until("the resource to be gone", () =>
        read("one", "a").then(
          () => false,
          () => true,
        ),
      )
      assert.deepEqual(await groupsAt(ruler, "red"), { two: ["first"] })
    },
  )

  await outer.test("deleted, and edited, while no informer runs", async (t) => {
    await apply("one", "down", ["red"], group("down"))
    const before = await start(t)
    await isSynced("one", "down")
    await isSynced("two", "a")
    await before.close()
    recorded.writes()
    await remove("one", "down")
    await apply("two", "a", ["red", "blue"], group("second"))
    assert.deepEqual(await groupsAt(ruler, "red"), { one: ["down"], two: ["first"] })
    await start(t)
    await becomes(ruler, "red", { two: ["second"] })
    await becomes(ruler, "blue", { two: ["second"] })
    await until("the resource to be gone", () =>
      read("one", "down").then(
        () => false,
        () => true,
      ),
    )
    await isSynced("two", "a")
  })

  await outer.test("starts without the ruler, explains what it waits for, and catches up", async (t) => {
    await cortexProcess.stop()
    const informer = await start(t)
    await until("the reason", async () => /^503 The rules of \w+ at \w+ are not known: /.test(await informer.ready()))
    await apply("two", "a", ["red"], group("third"))
    await until("the condition", async () => {
      const { status } = await read("two", "a")
      return status?.conditions?.some(({ type, reason }) => type === "Synced" && reason === "RulerFailed")
    })
    await cortexProcess.start()
    await becomes(ruler, "red", { two: ["third"] })
    await becomes(ruler, "blue", {})
    await isSynced("two", "a")
    await until("the informer to be ready", async () => (await informer.ready()) === "200 Ready.")
    // as a backup that is restored, or an edit, removes it
    const { status } = await read("two", "a")
    const removal = ["--subresource=status", "--type=merge", "-p", '{"status":null}']
    await kubectl(["patch", "openmetricsrule", "-n", "two", "a", ...removal])
    await isSynced("two", "a")
    assert.deepEqual((await read("two", "a")).status?.owned, status?.owned)
  })

  await outer.test("Events tell of each change of a condition, once", async () => {
    const events = await until("the Events", async () => {
      const text = await kubectl(["get", "events.events.k8s.io", "-n", "two", "-o", "json"])
      const { items } = JSON.parse(text) as {
        items: { reason: string; regarding: { name: string }; reportingController: string; series?: object }[]
      }
      return items.filter(({ regarding }) => regarding.name === "a")
    })
    assert.ok(events.some(({ reason }) => reason === "Synced"))
    assert.ok(events.every(({ reportingController }) => reportingController === "fedstack.dev/rules-informer"))
  })
})

const object = (namespace: string, name: string, tenants: readonly string[], groups: readonly object[]) => ({
  ...{ apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule" },
  ...{ metadata: { namespace, name }, spec: { tenants, groups } },
})
