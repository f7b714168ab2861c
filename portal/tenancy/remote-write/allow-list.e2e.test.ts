import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { compressSync } from "snappy"
import { need } from "../../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../../dev/testing/kubernetes.ts"
import { until } from "../../../dev/testing/until.ts"
import { rightsIn } from "./routing/allow-list/testing.ts"
import { write } from "./senders/messages.testing.ts"
import { plainSeries, startTestProxy, startUpstream } from "./testing.ts"

const CRD = join(import.meta.dirname, "../../kubernetes/openmetricsrule/customresourcedefinition.yaml")
const RESOURCE = "openmetricsrules.open-metrics.vgs.io"

const rule = (name: string, ...tenants: readonly string[]): string =>
  JSON.stringify({
    apiVersion: "open-metrics.vgs.io/v1",
    kind: "OpenMetricsRule",
    metadata: { namespace: "monitoring", name },
    spec: { tenants },
  })

test("the proxy with the allow list of a real Kubernetes API", { timeout: 300_000 }, async (t) => {
  const kube = need(t, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(t, kube)
  const { kubectl } = kubernetes
  await kubectl(["create", "namespace", "monitoring"])
  const account = "monitoring/tenancy-proxy"
  const kubeconfig = await kubernetes.account(account)
  const items = rightsIn("monitoring", account)
  await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }))
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(
    t,
    ["--kubernetes-poll-interval-seconds", "30", "--kubeconfig", kubeconfig, "--ingester-upstream-url", upstream.url],
    { env: { OPEN_METRICS_PROXY_NAMESPACE: "monitoring" } },
  )
  /** Which tenants get which series of a request with one each for red, blue and nobody. */
  const deliver = async () => {
    const before = upstream.received.length
    const series = ["red", "blue", ""].map((tenant) => ({
      ...{ labels: [["__name__", "up"] as const, ["tenant_id", tenant] as const], samples: [1], exemplars: [] },
    }))
    const response = await proxy.send({
      method: "POST",
      headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy" },
      body: compressSync(write(1, series)),
    })
    const entries = upstream.received
      .slice(before)
      .map(({ tenant, body, version }) => [
        tenant,
        plainSeries(body, version).map(({ labels }) => labels["tenant_id"] || "-"),
      ])
    return { status: response.status, body: response.body, tenants: Object.fromEntries(entries) as unknown }
  }
  const delivers = (what: string, tenants: Readonly<Record<string, readonly string[]>>) =>
    until(what, async () => {
      const { status, tenants: actual } = await deliver()
      assert.deepEqual([status, actual], [204, tenants])
      return true
    })
  const ready = async (): Promise<number> => (await proxy.send({ method: "GET", path: "/-/ready" })).status
  const all = ["red", "blue", "-"]

  await t.test("writes nothing and is not ready before the list is known, and names the reason", async () => {
    await until("the reason", async () => (await deliver()).body.includes("install its CRD"))
    const { status, body, tenants } = await deliver()
    const reason = `Kubernetes cannot list ${RESOURCE} in the namespace monitoring (404): it does not serve this kind in this version: install its CRD, or use another version. Response: not a Status object of Kubernetes`
    assert.deepEqual(
      [status, body.trimEnd(), tenants],
      [503, `Nothing can be written yet: the allow list is not known yet: ${reason}`, {}],
    )
    assert.equal(await ready(), 503)
  })

  await t.test("sends everything to the default tenant alone while there is no resource", async () => {
    await kubectl(["apply", "-f", CRD])
    await kubectl(["wait", "--for=condition=Established", "-f", CRD])
    await delivers("the empty list", { 0: all })
    assert.equal(await ready(), 200)
  })

  await t.test("sends series to the tenants of resources, as these come and go", async () => {
    await kubectl(["apply", "-f", "-"], rule("red", "red"))
    await delivers("one tenant", { red: ["red"], 0: all })
    await kubectl(["apply", "-f", "-"], rule("both", "blue", "red"))
    await delivers("two tenants", { red: ["red"], blue: ["blue"], 0: all })
    await kubectl(["delete", "openmetricsrule", "-n", "monitoring", "red"])
    await kubectl(["apply", "-f", "-"], rule("both", "blue"))
    await delivers("the other tenant", { blue: ["blue"], 0: all })
  })

  await t.test("goes on by the last list while the API is away", async () => {
    await kubernetes.stopApi("torn")
    await until("the problem", () => proxy.log().includes("watching openmetricsrules failed"))
    assert.deepEqual((await deliver()).tenants, { blue: ["blue"], 0: all })
    assert.equal(await ready(), 200)
    await kubernetes.startApi()
    await kubectl(["apply", "-f", "-"], rule("both", "red"))
    await delivers("what has changed since", { red: ["red"], 0: all })
  })

  await t.test("shows what it knows", async () => {
    const { body } = await proxy.send({ method: "GET", path: "/metrics" })
    const lines = body.split("\n").filter((line) => /^fedstack_tenancy_proxy_(?:allow|faulty)/.test(line))
    assert.deepEqual(
      lines.map((line) => line.replace(/ \d{10}\.?\d*$/, " NOW")),
      [
        'fedstack_tenancy_proxy_allowed_tenants{source="kubernetes"} 1',
        'fedstack_tenancy_proxy_allow_list_last_success_timestamp_seconds{source="kubernetes"} NOW',
        'fedstack_tenancy_proxy_faulty_rules{source="kubernetes"} 0',
      ],
    )
    assert.match(body, /^fedstack_tenancy_proxy_default_tenant_series_total [1-9]\d*$/m)
  })
})
