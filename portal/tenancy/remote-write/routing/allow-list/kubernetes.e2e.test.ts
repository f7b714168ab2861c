import assert from "node:assert/strict"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { need } from "../../../../../dev/testing/component.ts"
import { findKubernetes, type RunningKubernetes, startKubernetes } from "../../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../../dev/testing/until.ts"
import { valuesOf } from "../testing.ts"
import { openAllowList } from "./open-allow-list.ts"
import { rightsIn } from "./testing.ts"

const CRD = join(import.meta.dirname, "../../../../kubernetes/openmetricsrule/customresourcedefinition.yaml")
const ACCOUNT = "one/proxy"

test("the allow list of a real Kubernetes API", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl } = kubernetes
  for (const namespace of ["one", "two"]) await kubectl(["create", "namespace", namespace])
  const account = await kubernetes.account(ACCOUNT)

  await outer.test("an account that may do nothing learns which rule it lacks", async (t) => {
    const { becomes } = await open(t, account, "one")
    await becomes(
      'not ready: the allow list is not known yet: Kubernetes refused to list openmetricsrules.open-metrics.vgs.io in the namespace one (403): the account needs the rule {apiGroups: ["open-metrics.vgs.io"], resources: [openmetricsrules], verbs: [list]}. Response: openmetricsrules.open-metrics.vgs.io is forbidden: User "system:serviceaccount:one:proxy" cannot list resource "openmetricsrules" in API group "open-metrics.vgs.io" in the namespace "one"',
    )
  })

  for (const namespace of ["one", "two"]) {
    await kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: rightsIn(namespace, ACCOUNT) }),
    )
  }

  await outer.test("is not ready without the CRD, and is once it is there", async (t) => {
    const { becomes } = await open(t, account, "one")
    await becomes(
      "not ready: the allow list is not known yet: Kubernetes cannot list openmetricsrules.open-metrics.vgs.io in the namespace one (404): it does not serve this kind in this version: install its CRD, or use another version. Response: not a Status object of Kubernetes",
    )
    const strict = ["--validate=strict", "--warnings-as-errors"]
    assert.equal(
      await kubectl(["apply", "-f", CRD, ...strict]),
      "customresourcedefinition.apiextensions.k8s.io/openmetricsrules.open-metrics.vgs.io created\n",
    )
    await kubectl(["wait", "--for=condition=Established", "-f", CRD])
    await becomes("")
  })

  await outer.test("the CRD takes resources of the original, without a change", async () => {
    const group = (name: string, ...rules: readonly object[]) => ({ name, interval: "1m", rules })
    const specs = [
      { tenants: ["acme"], description: "for acme only" },
      {
        tenants: ["0", "1"],
        description: "requests",
        groups: [
          group("recorded", { expr: "sum(rate(requests_total[5m]))", record: "requests:rate5m" }),
          group("alerts", {
            expr: "requests:rate5m > 400",
            for: "5m",
            alert: "TooManyRequests",
            labels: { severity: "critical" },
            annotations: { summary: "{{ $value }}" },
          }),
        ],
      },
      { tenants: [] },
    ]
    for (const [index, spec] of specs.entries()) {
      await kubectl(["create", "-f", "-"], JSON.stringify(rule("two", `original-${index}`, spec)))
      const stored = await kubectl(["get", "openmetricsrule", "-n", "two", `original-${index}`, "-o", "json"])
      assert.deepEqual((JSON.parse(stored) as { spec: object }).spec, spec)
    }
    const status = JSON.stringify({ status: { ruler_updated: true, conditions: [{ type: "Ready" }] } })
    const patch = ["patch", "openmetricsrule", "-n", "two", "original-0", "--subresource=status", "--type=merge"]
    await kubectl([...patch, "-p", status])
    const patched = await kubectl(["get", "openmetricsrule", "-n", "two", "original-0", "-o", "jsonpath={.status}"])
    assert.deepEqual(JSON.parse(patched), { ruler_updated: true, conditions: [{ type: "Ready" }] })
  })

  await outer.test("the CRD keeps the fields that rules have today", async () => {
    const expr = "up == 0"
    const spec = {
      tenants: ["acme"],
      groups: [
        {
          name: "today",
          interval: "1m",
          query_offset: "30s",
          limit: 10,
          labels: { team: "a" },
          source_tenants: ["b"],
          evaluation_delay: "1m",
          align_evaluation_time_on_interval: true,
          rules: [{ alert: "Down", expr, for: "5m", keep_firing_for: "10m", labels: {}, annotations: {} }],
        },
      ],
    }
    await kubectl(["create", "--validate=strict", "-f", "-"], JSON.stringify(rule("two", "today", spec)))
    const stored = await kubectl(["get", "openmetricsrule", "-n", "two", "today", "-o", "json"])
    assert.deepEqual((JSON.parse(stored) as { spec: object }).spec, spec)
  })

  await outer.test("the CRD refuses what can be no tenant, and names the field", async () => {
    const text = JSON.stringify(rule("two", "bad", { tenants: ["a|b"] }))
    await assert.rejects(kubectl(["create", "-f", "-"], text), ({ message }: Error) => {
      assert.match(message, /spec\.tenants\[0\]: Invalid value: "a\|b": spec\.tenants\[0\] in body should match/)
      return true
    })
  })

  await outer.test(
    "adding, changing and deleting are followed, by a Role for list and watch in the namespace",
    async (t) => {
      const { becomes } = await open(t, account, "one")
      await becomes("")
      await apply(kubernetes, "one", "a", ["red", "blue"])
      await becomes("blue red")
      await apply(kubernetes, "one", "b", ["green"])
      await becomes("blue green red")
      await apply(kubernetes, "one", "a", ["red"])
      await becomes("green red")
      await kubectl(["delete", "openmetricsrule", "-n", "one", "b"])
      await becomes("red")
    },
  )

  await outer.test("two namespaces are read by a Role in each", async (t) => {
    const { becomes } = await open(t, account, "one,two")
    await becomes("0 1 acme red")
  })

  await outer.test("all namespaces need a ClusterRole", async (t) => {
    const { show } = await open(t, account, undefined)
    await until("the refusal", () => /refused to list openmetricsrules\S+ \(403\)/.test(show()))
    const resource = "openmetricsrules.open-metrics.vgs.io"
    const { becomes } = await open(t, await kubernetes.account("one/wide", "list,watch", resource), undefined)
    await becomes("0 1 acme red")
  })

  for (const how of [undefined, "torn"] as const) {
    await outer.test(
      `the last list is kept while the API is ${how ?? "stopped"}, and followed afterwards`,
      async (t) => {
        await apply(kubernetes, "one", "a", ["red"])
        const { becomes, show, lines, metrics } = await open(t, account, "one")
        await becomes("red")
        const before = await confirmed(metrics)
        await kubernetes.stopApi(how)
        await until("the problem", () => lines().some((line) => line.includes("watching openmetricsrules failed")))
        assert.equal(show(), "red")
        const fresh = await open(t, account, "one")
        await until("the other problem", () =>
          fresh.show().startsWith("not ready: the allow list is not known yet: list "),
        )
        await kubernetes.startApi()
        await apply(kubernetes, "one", "a", ["red", "white"])
        await becomes("red white")
        await fresh.becomes("red white")
        assert.ok((await confirmed(metrics)) > before)
      },
    )
  }

  await outer.test("deleting the CRD deletes all resources, which leaves no tenant and a warning", async (t) => {
    const { becomes, lines } = await open(t, account, "one")
    await becomes("red white")
    await kubectl(["delete", "-f", CRD])
    await becomes("")
    await until("the problem", () => lines().some((line) => line.includes("watching openmetricsrules failed")))
    assert.ok(lines().some((line) => line.includes("the allow list is empty, only the default tenants are written")))
  })
})

async function open(t: TestContext, kubeconfig: string, namespaces: string | undefined) {
  const lines: string[] = []
  const registry = new Registry()
  const where = namespaces === undefined ? ["--all-namespaces"] : ["--namespace", namespaces]
  const list = await openAllowList(
    valuesOf(["--kubernetes-poll-interval-seconds", "30", "--kubeconfig", kubeconfig, ...where]),
    {
      log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
      registry,
      now: () => new Date(),
      env: {},
      changed: () => undefined,
    },
  )
  t.after(() => list.close())
  const show = (): string => {
    const state = list.current()
    return "notReady" in state ? `not ready: ${state.notReady}` : [...(state.allowed ?? ["all"])].toSorted().join(" ")
  }
  return {
    show,
    lines: (): readonly string[] => lines,
    metrics: () => registry.metrics(),
    becomes: (text: string) =>
      until(`the allow list ${text}`, () => {
        assert.equal(show(), text)
        return true
      }),
  }
}

async function confirmed(metrics: () => Promise<string>): Promise<number> {
  const [, seconds = "0"] = /^fedstack_tenancy_proxy_allow_list_last_success\S* (\S+)$/m.exec(await metrics()) ?? []
  return Number(seconds)
}

const rule = (namespace: string, name: string, spec: object) => ({
  apiVersion: "open-metrics.vgs.io/v1",
  kind: "OpenMetricsRule",
  metadata: { namespace, name },
  spec,
})

async function apply({ kubectl }: RunningKubernetes, namespace: string, name: string, tenants: readonly string[]) {
  await kubectl(["apply", "-f", "-"], JSON.stringify(rule(namespace, name, { tenants })))
}
