import assert from "node:assert/strict"
import { readFile, writeFile } from "node:fs/promises"
import { type TestContext, test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { startGate } from "../../dev/testing/gate.ts"
import { findKubernetes, type RunningKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { until } from "../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import { type KubernetesApi, openKubernetes } from "./api.ts"
import { listObjects } from "./list.ts"
import type { KubernetesObject, Resource } from "./resource.ts"
import { watchObjects, type Watched } from "./watch-objects.ts"

const CONFIG_MAPS: Resource<ConfigMap> = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" }

test("objects of a real API stay known", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl, kubeconfig } = kubernetes
  await kubectl(["create", "namespace", "test"])

  await outer.test("pages of a long list are one whole", async (t) => {
    const items = Array.from({ length: 1203 }, (_, index) => configMap(`many-${index}`, { set: "many" }))
    await kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }))
    const api = await open(t, kubeconfig)
    const names: string[] = []
    const scope = { resource: CONFIG_MAPS, namespace: "test", labelSelector: "set=many" }
    const version = await listObjects(api, scope, ({ metadata }) => names.push(metadata.name), t.signal)
    assert.match(version, /^\d+$/)
    assert.deepEqual(names.toSorted(), items.map(({ metadata }) => metadata.name).toSorted())
  })

  await outer.test("adding, changing and deleting are seen", async (t) => {
    const { watched } = await follow(t, kubeconfig, "seen")
    await apply(kubernetes, configMap("one", { set: "seen" }, "1"), configMap("two", { set: "seen" }, "1"))
    await sees(watched, { "test/one": "1", "test/two": "1" })
    await apply(kubernetes, configMap("one", { set: "seen" }, "2"))
    await kubectl(["delete", "configmap", "-n", "test", "two"])
    await sees(watched, { "test/one": "2" })
    assert.equal(watched.problem(), undefined)
  })

  await outer.test("an object that loses the label that was asked for is gone", async (t) => {
    await apply(kubernetes, configMap("leaving", { set: "left" }, "1"))
    const { watched } = await follow(t, kubeconfig, "left")
    await sees(watched, { "test/leaving": "1" })
    await apply(kubernetes, configMap("leaving", { set: "elsewhere" }, "1"))
    await sees(watched, {})
  })

  for (const how of [undefined, "torn"] as const) {
    const way = how === "torn" ? "is killed" : "ends"
    await outer.test(`what happens while the API ${way} is seen afterwards, and meanwhile the old state`, async (t) => {
      const set = `api-${how ?? "clean"}`
      await apply(kubernetes, configMap(`${set}-one`, { set }, "1"))
      const { watched, log } = await follow(t, kubeconfig, set)
      await sees(watched, { [`test/${set}-one`]: "1" })
      await kubernetes.stopApi(how)
      await until("a problem", () => watched.problem())
      assert.match(watched.problem()?.message ?? "", /^watch configmaps in the namespace test: /)
      assert.deepEqual([...(watched.objects() ?? [])], [[`test/${set}-one`, "1"]])
      await kubernetes.startApi()
      await apply(kubernetes, configMap(`${set}-two`, { set }, "1"))
      await sees(watched, { [`test/${set}-one`]: "1", [`test/${set}-two`]: "1" })
      await until("no problem", () => (watched.problem() === undefined ? true : undefined))
      assert.match(log().at(-1) ?? "", /watching configmaps works again/)
    })
  }

  await outer.test("a forgotten version is listed anew, without what was deleted meanwhile", async (t) => {
    await apply(kubernetes, configMap("stays", { set: "old" }, "1"), configMap("goes", { set: "old" }, "1"))
    const gate = await gateTo(t, kubernetes)
    const { watched } = await follow(t, await gate.kubeconfig(), "old")
    await sees(watched, { "test/stays": "1", "test/goes": "1" })
    gate.shut()
    await kubectl(["delete", "configmap", "-n", "test", "goes"])
    await kubernetes.compact()
    await kubernetes.stopApi()
    await kubernetes.startApi()
    gate.open()
    await sees(watched, { "test/stays": "1" })
  })

  await outer.test("a watch that is silent for too long begins anew", async (t) => {
    await apply(kubernetes, configMap("before", { set: "silent" }, "1"))
    const gate = await gateTo(t, kubernetes)
    const { watched } = await follow(t, await gate.kubeconfig(), "silent", { silence: 1 })
    await sees(watched, { "test/before": "1" })
    await apply(kubernetes, configMap("before", { set: "silent" }, "2"))
    await sees(watched, { "test/before": "2" }) // by the watch, which is open then
    gate.hold()
    await apply(kubernetes, configMap("behind", { set: "silent" }, "1"))
    await until("a problem", () => watched.problem())
    assert.match(watched.problem()?.message ?? "", /^watch configmaps in the namespace test: the connection broke off$/)
    gate.open()
    await sees(watched, { "test/before": "2", "test/behind": "1" })
  })

  await outer.test("an account that may do nothing learns which rule it lacks", async (t) => {
    const { watched } = await follow(t, await kubernetes.account("test/nobody"), "any")
    await watched.first
    assert.equal(watched.objects(), undefined)
    assert.equal(
      watched.problem()?.message,
      `Kubernetes refused to list configmaps in the namespace test (403): the account needs the rule {apiGroups: [""], resources: [configmaps], verbs: [list]}. Response: configmaps is forbidden: User "system:serviceaccount:test:nobody" cannot list resource "configmaps" in API group "" in the namespace "test"`,
    )
  })

  await outer.test("an account that may list but not watch has the list, and the problem", async (t) => {
    await apply(kubernetes, configMap("listed", { set: "listed" }, "1"))
    const { watched } = await follow(t, await kubernetes.account("test/lister", "list", "configmaps"), "listed")
    await sees(watched, { "test/listed": "1" })
    await until("the problem", () => watched.problem())
    assert.match(
      watched.problem()?.message ?? "",
      /refused to watch configmaps .*resources: \[configmaps\], verbs: \[watch\]/,
    )
  })

  await outer.test("a wrong token is recognised", async (t) => {
    const file = await kubernetes.account("test/nobody")
    await writeFile(file, (await readFile(file, "utf8")).replace(/"token":"[^"]+"/, '"token":"wrong"'))
    const { watched } = await follow(t, file, "any")
    await watched.first
    assert.match(watched.problem()?.message ?? "", /refused to list configmaps.*\(401\)/)
    assert.doesNotMatch(watched.problem()?.message ?? "", /wrong/)
  })
})

async function open(t: TestContext, kubeconfig: string): Promise<KubernetesApi> {
  const api = await openKubernetes({ kubeconfig, env: {} })
  t.after(() => api.close())
  return api
}

/** Watches the ConfigMaps of one set and keeps their one value. */
async function follow(t: TestContext, kubeconfig: string, set: string, options: { readonly silence?: number } = {}) {
  const lines: string[] = []
  const watched = watchObjects(await open(t, kubeconfig), {
    ...options,
    resource: CONFIG_MAPS,
    namespace: "test",
    labelSelector: `set=${set}`,
    keep: ({ data }) => data.value,
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
  })
  t.after(() => watched.close())
  return { watched, log: (): readonly string[] => lines }
}

async function gateTo(t: TestContext, { server, kubeconfig }: RunningKubernetes) {
  const gate = await startGate(t, Number(new URL(server).port))
  const { write } = temporaryFolder(t)
  const text = (await readFile(kubeconfig, "utf8")).replace(server, `https://127.0.0.1:${gate.port}`)
  return { ...gate, kubeconfig: () => write("kubeconfig", text) }
}

async function sees(watched: Watched<string>, expected: Readonly<Record<string, string>>): Promise<void> {
  await until(`objects ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(Object.fromEntries(watched.objects() ?? []), expected)
    return true
  })
}

interface ConfigMap extends KubernetesObject {
  readonly data: { readonly value: string }
}

function configMap(name: string, labels: Readonly<Record<string, string>>, value = ""): ConfigMap {
  const kind = { apiVersion: "v1", kind: "ConfigMap" }
  return { ...kind, metadata: { name, namespace: "test", labels }, data: { value } }
}

async function apply({ kubectl }: RunningKubernetes, ...items: readonly ConfigMap[]): Promise<void> {
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }))
}
