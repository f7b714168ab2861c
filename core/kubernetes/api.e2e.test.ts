import assert from "node:assert/strict"
import { test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { need } from "../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { until } from "../../dev/testing/until.ts"
import { type KubernetesApi, openKubernetes } from "./api.ts"
import { discoverKinds } from "./discovery.ts"
import { recordEvents } from "./events.ts"
import { holdLease } from "./lease.ts"
import { objectsOf, retryOnConflict } from "./objects.ts"
import type { KubernetesObject, Resource } from "./resource.ts"
import { watchObjects } from "./watch-objects.ts"

interface Gateway extends KubernetesObject {
  readonly spec: { readonly gatewayClassName: string; readonly listeners: readonly object[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}
interface Condition {
  readonly type: string
  readonly status: string
}
const GATEWAYS: Resource<Gateway> = {
  group: "gateway.networking.k8s.io",
  version: "v1",
  plural: "gateways",
  kind: "Gateway",
}
const gateway = (name: string, gatewayClassName = "one"): Gateway => ({
  metadata: { name, namespace: "test" },
  spec: { gatewayClassName, listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
})
const condition = (status: string) => ({
  conditions: [{ type: "Accepted", status, reason: "Test", message: "", lastTransitionTime: "2026-01-02T03:04:05Z" }],
})

test("what the room does with a real API", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl, kubeconfig } = kubernetes
  await kubectl(["create", "namespace", "test"])
  const api = await open(outer, kubeconfig)
  const { signal } = outer
  const gateways = objectsOf(api, GATEWAYS)
  const GROUP = GATEWAYS.group

  await outer.test("a group without CRDs has no kinds, and a write explains it", async () => {
    assert.equal((await discoverKinds(api, GROUP, signal)).size, 0)
    assert.equal(await gateways.get({ namespace: "test", name: "a" }, signal), undefined)
    await assert.rejects(gateways.create(gateway("a"), signal), {
      message:
        "Kubernetes cannot create gateways.gateway.networking.k8s.io in the namespace test (404): it does not serve this kind in this version: install its CRD, or use another version. Response: not a Status object of Kubernetes",
    })
  })

  await kubernetes.install("experimental")
  await until("the kinds to be served", async () => {
    const kinds = await discoverKinds(api, GROUP, signal)
    return kinds.has("gateways") && kinds.has("tlsroutes") ? kinds : undefined
  })

  await outer.test("kinds are discovered with the versions in which each is served", async () => {
    const kinds = await discoverKinds(api, GROUP, signal)
    assert.deepEqual(kinds.get("gateways"), {
      plural: "gateways",
      kind: "Gateway",
      namespaced: true,
      versions: ["v1", "v1beta1"],
    })
    assert.deepEqual(kinds.get("gatewayclasses")?.namespaced, false)
    assert.equal(kinds.get("tlsroutes")?.versions[0], "v1")
    assert.equal(kinds.get("tlsroutes")?.versions.includes("v1alpha2"), true)
    assert.deepEqual((await discoverKinds(api, "", signal)).get("pods")?.versions, ["v1"])
  })

  await outer.test("an object is created, read, replaced, patched in three ways and deleted", async () => {
    const address = { namespace: "test", name: "crud" }
    const created = await gateways.create(gateway("crud"), signal)
    assert.equal(created.metadata.generation, 1)
    await assert.rejects(gateways.create(gateway("crud"), signal), /\(409\): it exists already\. /)
    const replaced = await gateways.update({ ...created, spec: gateway("crud", "two").spec }, signal)
    assert.equal(replaced.spec.gatewayClassName, "two")
    const spec = { gatewayClassName: "three" }
    const merged = await gateways.patch(address, { type: "merge", value: { spec } }, signal)
    assert.equal(merged.spec.gatewayClassName, "three")
    const json = [{ op: "replace", path: "/spec/gatewayClassName", value: "four" }] as const
    assert.equal((await gateways.patch(address, { type: "json", value: json }, signal)).spec.gatewayClassName, "four")
    const apply = { type: "apply", value: { spec: { gatewayClassName: "five" } }, fieldManager: "test" } as const
    await assert.rejects(
      gateways.patch(address, apply, signal),
      /\(409\): other managers own these fields \(\.spec\.gatewayClassName: conflict with /,
    )
    const forced = await gateways.patch(address, { ...apply, force: true }, signal)
    assert.equal(forced.spec.gatewayClassName, "five")
    await assert.rejects(gateways.delete(address, signal, { uid: "another" }), /\(409\)/)
    const options = { resourceVersion: forced.metadata.resourceVersion ?? "", propagation: "Background" } as const
    assert.equal(await gateways.delete(address, signal, options), true)
    assert.equal(await gateways.delete(address, signal), false)
    assert.equal(await gateways.get(address, signal), undefined)
  })

  await outer.test("status and the rest of an object do not touch each other", async () => {
    const created = await gateways.create(gateway("status"), signal)
    const value = { status: condition("True"), spec: { gatewayClassName: "ignored" } }
    const merge = { type: "merge", value } as const
    await gateways.patch(created.metadata, merge, signal, { subresource: "status" })
    const read = await gateways.get(created.metadata, signal)
    assert.equal(read?.spec.gatewayClassName, "one")
    assert.equal(read?.status?.conditions?.find(({ type }) => type === "Accepted")?.status, "True")
    const whole = { ...read, status: condition("False") }
    const updated = await gateways.update(whole, signal, { subresource: "status" })
    assert.deepEqual(updated.status, condition("False"))
    assert.equal(updated.metadata.generation, 1)
  })

  await outer.test("an update of an old version is a conflict, and made again from the new one", async () => {
    const old = await gateways.create(gateway("conflict"), signal)
    await gateways.patch(old.metadata, { type: "merge", value: { metadata: { labels: { a: "1" } } } }, signal)
    const message = /\(409\): it was changed by another client meanwhile\. Response: Operation cannot be fulfilled/
    await assert.rejects(gateways.update(old, signal), { message })
    let object: Gateway | undefined = old
    const updated = await retryOnConflict(async () => {
      const current = object ?? (await gateways.get(old.metadata, signal))
      object = undefined
      assert.ok(current)
      const metadata = { ...current.metadata, finalizers: ["example.org/test"] }
      return gateways.update({ ...current, metadata }, signal)
    }, signal)
    assert.deepEqual([updated.metadata.labels, updated.metadata.finalizers], [{ a: "1" }, ["example.org/test"]])
    assert.equal(await gateways.delete(old.metadata, signal), true)
    const going = await gateways.get(old.metadata, signal)
    assert.ok(going?.metadata.deletionTimestamp)
    const drop = [{ op: "remove", path: "/metadata/finalizers" }] as const
    await gateways.patch(old.metadata, { type: "json", value: drop }, signal)
    assert.equal(await gateways.get(old.metadata, signal), undefined)
  })

  await outer.test("an invalid object is refused with each field that is wrong", async () => {
    const invalid = { ...gateway("invalid"), spec: { gatewayClassName: "", listeners: [{ name: "http", port: 0 }] } }
    await assert.rejects(gateways.create(invalid, signal), (error: Error) => {
      assert.match(error.message, /\(422\): the object is invalid \(.*spec\.gatewayClassName: .*spec\.listeners\[0\]/)
      return true
    })
  })

  await outer.test("two watchers receive each change, with what they keep of it", async (t) => {
    const follow = () => {
      const changes: string[] = []
      const watched = watchObjects(api, {
        resource: GATEWAYS,
        namespace: "test",
        labelSelector: "set=watched",
        keep: ({ spec }) => spec.gatewayClassName,
        changed: ({ type, key, ...values }) => changes.push([type, key, ...Object.values(values)].join(" ")),
        log: silent,
      })
      t.after(() => watched.close())
      return { watched, changes }
    }
    const watchers = [follow(), follow()]
    await Promise.all(watchers.map(({ watched }) => watched.first))
    const { metadata, spec } = gateway("watched")
    await gateways.create({ metadata: { ...metadata, labels: { set: "watched" } }, spec }, signal)
    const value = { spec: { gatewayClassName: "two" } }
    await gateways.patch(metadata, { type: "merge", value }, signal)
    await gateways.delete(metadata, signal)
    for (const { changes } of watchers) {
      await until("all changes", () => (changes.length === 3 ? true : undefined))
      assert.deepEqual(changes, ["added test/watched one", "modified test/watched one two", "deleted test/watched two"])
    }
  })

  await outer.test("of two holders of a lease one works, and the other after it", async (t) => {
    const start = (identity: string) => {
      const holder = holdLease(api, {
        namespace: "test",
        name: "active",
        identity,
        seconds: 3,
        work: (stop) => new Promise((resolve) => stop.addEventListener("abort", () => resolve())),
        log: silent,
        now: () => new Date(),
      })
      t.after(() => holder.close())
      return holder
    }
    const holders = [start("a"), start("b")] as const
    const active = await until("one to hold it", () => holders.find((holder) => holder.isHeld()))
    const passive = active === holders[0] ? holders[1] : holders[0]
    await until("the other to see it", () => (passive.holder() === active.holder() ? true : undefined))
    assert.equal(passive.isHeld(), false)
    await active.close()
    await until("the other to hold it", () => (passive.isHeld() ? true : undefined))
    const read = JSON.parse(await kubectl(["get", "lease", "-n", "test", "active", "-o", "json"])) as {
      spec: { holderIdentity: string; leaseTransitions: number }
    }
    assert.deepEqual([read.spec.holderIdentity, read.spec.leaseTransitions], [passive.holder(), 1])
  })

  await outer.test("repeated Events are one with a count, and kubectl shows them below the object", async () => {
    const object = await gateways.create(gateway("eventful"), signal)
    const about = { controller: "example.org/test", instance: "pod-1", now: () => new Date() }
    const recorder = recordEvents(api, { ...about, log: silent, registry: new Registry() })
    const details = { type: "Warning", reason: "Broken", action: "Repair", note: "listener http is broken" } as const
    recorder.record(GATEWAYS, object, details)
    const events = async () => {
      const list = await kubectl(["get", "events.v1.events.k8s.io", "-n", "test", "-o", "json"])
      const { items } = JSON.parse(list) as { items: { note: string; series?: { count: number } }[] }
      return items.map(({ note, series }) => [note, series?.count] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))
    }
    await until("the Event", async () => ((await events()).length > 0 ? true : undefined))
    for (let count = 0; count < 3; count++) recorder.record(GATEWAYS, object, details)
    recorder.record(GATEWAYS, object, { ...details, note: "listener https is broken" })
    await recorder.close()
    assert.deepEqual(await events(), [
      ["listener http is broken", 4],
      ["listener https is broken", undefined],
    ])
    const described = await kubectl(["describe", "gateway", "-n", "test", "eventful"])
    assert.match(described, /Warning\s+Broken\s+.*listener https is broken/)
  })

  await outer.test("an account that may only get learns the rule that it lacks", async (t) => {
    const reader = await open(t, await kubernetes.account("test/reader", "get", `gateways.${GROUP}`))
    assert.equal(
      (await objectsOf(reader, GATEWAYS).get({ namespace: "test", name: "status" }, signal))?.spec.gatewayClassName,
      "one",
    )
    const merge = { type: "merge", value: { status: condition("True") } } as const
    const address = { namespace: "test", name: "status" }
    await assert.rejects(objectsOf(reader, GATEWAYS).patch(address, merge, signal, { subresource: "status" }), {
      statusCode: 403,
      message: `Kubernetes refused to patch gateways.${GROUP}/status status in the namespace test (403): the account needs the rule {apiGroups: ["${GROUP}"], resources: [gateways/status], verbs: [patch]}. Response: gateways.${GROUP} "status" is forbidden: User "system:serviceaccount:test:reader" cannot patch resource "gateways/status" in API group "${GROUP}" in the namespace "test"`,
    })
  })
})

const silent = createLogger({ level: "error", format: "logfmt" }, "test", () => undefined)

async function open(t: { after(close: () => Promise<void>): void }, kubeconfig: string): Promise<KubernetesApi> {
  const api = await openKubernetes({ kubeconfig, env: {} })
  t.after(() => api.close())
  return api
}
