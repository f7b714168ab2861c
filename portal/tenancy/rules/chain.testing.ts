import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { parse } from "yaml"
import { need } from "../../../dev/testing/component.ts"
import { type CortexOptions, findCortex, startCortex } from "../../../dev/testing/cortex.ts"
import { findKubernetes, startKubernetes } from "../../../dev/testing/kubernetes.ts"
import { bodyOf, HEADERS, write } from "../../../dev/testing/remote-write/write.ts"
import { until } from "../../../dev/testing/until.ts"
import type { RuleResource } from "./resources/rule-resource.ts"
import { recordingProxy } from "./ruler/recording-proxy.testing.ts"
import { showCall } from "./ruler/ruler-call.testing.ts"
import { CRD, startTestInformer } from "./testing.ts"

/** As a resource and the ruler write it alike. */
interface Group {
  readonly name: string
  readonly interval?: string
  readonly rules: readonly object[]
}

/** Groups by tenant, namespace and name. */
type Held = Record<string, Record<string, Record<string, Group>>>

export const BROKEN = "up == =="
export const record = (name: string, expr = "up"): Group => ({ name, rules: [{ record: "a:b", expr }] })

/** A real Kubernetes API, a real Cortex behind a proxy, and what stands in both; undefined where one is missing. */
export async function startChain(t: TestContext, namespaces: readonly string[], options?: CortexOptions) {
  const [kube, program] = [need(t, findKubernetes()), need(t, findCortex())]
  if (kube === undefined || program === undefined) return undefined
  const [kubernetes, cortex] = await Promise.all([startKubernetes(t, kube), startCortex(t, program, options)])
  const { kubectl, kubeconfig } = kubernetes
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  for (const namespace of namespaces) await kubectl(["create", "namespace", namespace])
  const proxy = await recordingProxy(t, new URL(cortex.url))
  const args = ["--kubeconfig", kubeconfig, "--namespace", namespaces.join(",")]
  /** Groups that stand at the ruler although no resource has them, or has them like this. */
  const beside: Held = {}
  const resources = async () => {
    const text = await kubectl(["get", "openmetricsrules", "-A", "-o", "json"])
    return (JSON.parse(text) as { items: readonly RuleResource[] }).items
  }

  return {
    ...{ kubernetes, kubectl, cortex, proxy, beside, resources },
    args: [...args, "--ruler-upstream-url", proxy.url.href],
    start: (on: TestContext, ...more: readonly string[]) =>
      startTestInformer(on, [...args, "--ruler-upstream-url", proxy.url.href, ...more]),
    /** All requests since it was called last, sorted: those for limits are left out, which are repeated each minute. */
    calls: (): readonly string[] =>
      proxy.calls
        .splice(0)
        .map(showCall)
        .filter((call) => !call.endsWith("?mode=diff"))
        .toSorted(),
    apply: (...all: readonly object[]) =>
      kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: all })),
    remove: (key: string) => {
      const [namespace = "", name = ""] = key.split("/")
      return kubectl(["delete", "openmetricsrule", "-n", namespace, name, "--wait=false"])
    },
    /** As another client of the ruler. */
    async put(tenant: string, namespace: string, group: Group) {
      const url = `${cortex.url}/api/v1/rules/${namespace}`
      const response = await fetch(url, {
        ...{ method: "POST", headers: { "x-scope-orgid": tenant }, body: JSON.stringify(group) },
      })
      assert.equal(response.status, 202, await response.text())
    },
    async push(tenant: string, name: string, value: number) {
      const body = bodyOf([{ labels: { __name__: name }, value, timestamp: Date.now() }])
      const url = `${cortex.url}/api/v1/push`
      assert.equal((await write(url, body, { ...HEADERS[1], "x-scope-orgid": tenant })).status, 200)
    },
    /** Names of alerts of a tenant, with their state and since when they have it. */
    alerts: async (tenant: string): Promise<Readonly<Record<string, string>>> => {
      const { alerts } = (await cortex.get(tenant, "alerts", {})) as {
        alerts: readonly { labels: { alertname: string }; state: string; activeAt: string }[]
      }
      return Object.fromEntries(
        alerts.map(({ labels, state, activeAt }) => [labels.alertname, `${state} since ${activeAt}`]),
      )
    },
    /** Waits until each resource says that it is settled, and the ruler holds what {@link desiredOf} them says. */
    settled: (...unsynced: readonly string[]) =>
      until(
        "the ruler to hold what is desired",
        async () => {
          const all = await resources()
          const states = all.map(({ metadata: { namespace, name, generation, deletionTimestamp }, status }) => {
            const synced = status?.conditions?.find(({ type }) => type === "Synced")
            const isKnown = synced?.observedGeneration === generation && deletionTimestamp === undefined
            return [`${namespace}/${name}`, isKnown ? synced?.status : "Unknown"]
          })
          const wanted = all.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)
          assert.deepEqual(
            states,
            wanted.map((key) => [key, unsynced.includes(key) ? "False" : "True"]),
          )
          assert.deepEqual(await heldBy(cortex.url), desiredOf(all, beside))
          return true
        },
        60,
      ),
  }
}

export const resource = (key: string, tenants: readonly string[], ...groups: readonly Group[]) => {
  const [namespace, name] = key.split("/")
  return {
    ...{ apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule", metadata: { namespace, name } },
    spec: { tenants, groups },
  }
}

/** Independent of the informer: the oldest resource with a valid group has the name. */
function desiredOf(resources: readonly RuleResource[], beside: Held): Held {
  const held = structuredClone(beside)
  const age = ({ metadata }: RuleResource) => `${metadata.creationTimestamp} ${metadata.uid}`
  for (const { metadata, spec } of resources.toSorted((a, b) => (age(a) < age(b) ? -1 : 1)))
    for (const tenant of (spec?.tenants ?? []) as readonly string[])
      for (const group of (spec?.groups ?? []) as readonly Group[])
        if (!JSON.stringify(group).includes(BROKEN))
          ((held[tenant] ??= {})[metadata.namespace ?? ""] ??= {})[group.name] ??= group
  return held
}

/** Of all tenants. */
export async function heldBy(ruler: string): Promise<Held> {
  const response = await fetch(`${ruler}/ruler/rule_groups`)
  const text = await response.text()
  if (response.status === 404) return {}
  if (response.status !== 200) throw new Error(`the ruler responded ${response.status} ${text}`)
  const all = (parse(text) ?? {}) as Record<string, Record<string, readonly Group[]>>
  const byName = (groups: readonly Group[]) => Object.fromEntries(groups.map((group) => [group.name, group]))
  return Object.fromEntries(
    Object.entries(all).map(([tenant, namespaces]) => [
      tenant,
      Object.fromEntries(Object.entries(namespaces).map(([namespace, groups]) => [namespace, byName(groups)])),
    ]),
  )
}
