import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"
import { until } from "../../dev/testing/until.ts"
import { KINDS } from "../exporter/collectors/gateway-api/kinds/all.ts"
import { startGatewayExporter } from "../grafana/gateway-api.testing.ts"
import { linesOf, rightsOf, SERVICE_MONITORS } from "./testing.ts"

const MANIFESTS = join(import.meta.dirname, "gateway-api")
const ACCOUNT = "monitoring/gateway-api-exporter"

test("the manifests of the exporter of Gateway API objects", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl } = kubernetes
  await kubectl(["create", "namespace", "monitoring"])
  await kubernetes.install("experimental")
  const made = [
    "serviceaccount/gateway-api-exporter created",
    "clusterrole.rbac.authorization.k8s.io/gateway-api-exporter created",
    "clusterrolebinding.rbac.authorization.k8s.io/gateway-api-exporter created",
    "service/gateway-api-exporter created",
    "deployment.apps/gateway-api-exporter created",
    "poddisruptionbudget.policy/gateway-api-exporter created",
    "networkpolicy.networking.k8s.io/gateway-api-exporter created",
  ]

  await outer.test("a real API takes them, without a warning", async () => {
    const strict = ["--validate=strict", "--warnings-as-errors"]
    const dry = await kubectl(["apply", "-k", MANIFESTS, "--dry-run=server", ...strict])
    assert.deepEqual(
      linesOf(dry),
      made.map((line) => `${line} (server dry run)`),
    )
    assert.deepEqual(linesOf(await kubectl(["apply", "-k", MANIFESTS, ...strict])), made)
  })

  await outer.test("its pod keeps to the strictest of the pod security standards", async () => {
    await kubectl(["label", "namespace", "monitoring", "pod-security.kubernetes.io/enforce=restricted"])
    const { metadata, spec } = (await read<Deployment>("deployment.yaml")).spec.template
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "exporter" }, spec }
    assert.equal(await kubectl(["apply", "-n", "monitoring", "-f", "-"], JSON.stringify(pod)), "pod/exporter created\n")
  })

  await outer.test("its account may list and watch every kind that is exported, and nothing else", async () => {
    const exported = KINDS.flatMap(({ plural, groups }) => groups.map((group) => `list, watch ${plural}.${group}`))
    assert.deepEqual(await rightsOf(kubernetes, ACCOUNT, "any"), exported.toSorted())
  })

  for (const [mode, flags] of [
    ["on scrape", []],
    ["by watches", ["--kubernetes.watch"]],
  ] as const) {
    await outer.test(`the account is enough to read everything ${mode}`, async (t) => {
      const address = await startGatewayExporter(t, await kubernetes.account(ACCOUNT), flags)
      await until("the first lists", async () => ((await fetch(`http://${address}/-/ready`)).ok ? true : undefined))
      const response = await fetch(`http://${address}/metrics`)
      const lines = linesOf(await response.text())
      assert.ok(lines.includes("gateway_metrics_up 1"))
      const states = lines.filter((line) => line.startsWith("gateway_metrics_kind_status{"))
      const installed = states.filter((line) => !line.includes('status="not_installed"'))
      assert.deepEqual(
        installed.filter((line) => !line.includes('status="listed"')),
        [],
      )
      assert.ok(installed.length >= 10)
    })
  }

  await outer.test("both ServiceMonitors are taken where the kind is known", async () => {
    await kubectl(["apply", "-f", "-"], JSON.stringify(SERVICE_MONITORS))
    await kubectl(["wait", "--for=condition=Established", `crd/${SERVICE_MONITORS.metadata.name}`])
    for (const [name, becomes] of [
      ["servicemonitor", "created"],
      ["servicemonitor-kuadrant", "configured"],
    ] as const) {
      const apply = ["apply", "-f", join(MANIFESTS, `${name}.yaml`), "--validate=strict", "--warnings-as-errors"]
      assert.equal(await kubectl(apply), `servicemonitor.monitoring.coreos.com/gateway-api-exporter ${becomes}\n`)
    }
  })
})

test("service, monitors and network policy name the port that the container has", async () => {
  const [container] = (await read<Deployment>("deployment.yaml")).spec.template.spec.containers
  assert.deepEqual(container?.ports, [{ name: "metrics", containerPort: 8080, protocol: "TCP" }])
  const service = await read<{ spec: { ports: { name: string; targetPort: string }[] } }>("service.yaml")
  assert.deepEqual(
    service.spec.ports.map(({ name, targetPort }) => [name, targetPort]),
    [["metrics", "metrics"]],
  )
  for (const name of ["servicemonitor.yaml", "servicemonitor-kuadrant.yaml"]) {
    const monitor = await read<{ spec: { endpoints: { port: string; honorLabels: boolean }[] } }>(name)
    assert.deepEqual(
      monitor.spec.endpoints.map(({ port, honorLabels }) => [port, honorLabels]),
      [["metrics", name === "servicemonitor.yaml"]],
    )
  }
  const policy = await read<{ spec: { ingress: { ports: { port: string }[] }[] } }>("networkpolicy.yaml")
  assert.deepEqual(
    policy.spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port)),
    ["metrics"],
  )
})

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: object
      readonly spec: { readonly containers: readonly { readonly ports: readonly object[] }[] }
    }
  }
}

async function read<T>(name: string): Promise<T> {
  return parse(await readFile(join(MANIFESTS, name), "utf8")) as T
}
