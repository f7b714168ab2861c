import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { findOpa, type RunningOpa, startOpa } from "../../../../dev/testing/opa.ts"
import { until } from "../../../../dev/testing/until.ts"

const FEDSTACK = join(import.meta.dirname, "../../../../bin/fedstack")

test("the exporter goes on while pods and the API come and go", { timeout: 300_000 }, async (t) => {
  const [kube, folder] = [need(t, findKubernetes()), need(t, findOpa())]
  if (kube === undefined || folder === undefined) return
  const kubernetes = await startKubernetes(t, kube)
  const { kubectl } = kubernetes
  const opa = async (): Promise<RunningOpa> => {
    const running = await startOpa(folder)
    t.after(() => running.stop())
    await running.put("kubernetes/namespaces", { a: { metadata: { resourceVersion: "1" } } })
    return running
  }
  const [a, b, c] = [await opa(), await opa(), await opa()]
  await kubectl(["create", "namespace", "opa"])
  const place = async (pod: string, { port }: RunningOpa): Promise<void> => {
    await kubectl(["apply", "-f", "-"], JSON.stringify(sliceOf(pod, port)))
  }
  const remove = (pod: string) => kubectl(["delete", "endpointslice", "-n", "opa", `of-${pod}`])
  await place("a", a)
  await place("b", b)

  const flags = ["--cluster-name=c", "--opa-service=opa", "--opa-cluster-data=kubernetes/namespaces"]
  const child = start(
    FEDSTACK,
    ["exporter", "opa-data", ...flags, "--collect=scrape", "--timeout=4", "--web.listen-address=127.0.0.1:0"],
    { KUBECONFIG: await kubernetes.account("opa/reader", "list,watch", "endpointslices.discovery.k8s.io") },
  )
  t.after(() => child.stop())
  const port = await until("the exporter", () => /127\.0\.0\.1:(\d+)\D*tls=/.exec(child.output())?.[1])
  /** `a up, b connection`, and whether the list is up to date. */
  const scrape = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const read = [...text.matchAll(/^opa_up\{.*pod_name="(.*?)".*\} 1$/gm)].map(([, pod]) => `${pod} up`)
    const not = [...text.matchAll(/^opa_down_reason\{.*pod_name="(.*?)",reason="(.*?)".*\} 1$/gm)]
    const listed = /^opa_data_exporter_discovery_up\{.*\} (\d)$/m.exec(text)?.[1]
    return {
      pods: [...read, ...not.map(([, pod, reason]) => `${pod} ${reason}`)].toSorted().join(", "),
      listed: listed === "1",
    }
  }
  const shows = (pods: string, listed = true) =>
    until(`${pods}, listed: ${listed}`, async () => {
      assert.deepEqual(await scrape(), { pods, listed })
      return true
    })
  await shows("a up, b up")

  // what changes while one pod keeps a collection waiting is for the next one
  b.child.process.kill("SIGSTOP")
  const waiting = scrape()
  await place("c", c)
  await remove("a")
  assert.deepEqual(await waiting, { pods: "a up, b timeout", listed: true })
  b.child.process.kill("SIGCONT")
  await shows("b up, c up")

  // without the API the pods that are known are read on
  await kubernetes.stopApi("torn")
  await shows("b up, c up", false)
  await c.stop()
  await shows("b up, c refused", false)

  await kubernetes.startApi()
  await remove("c")
  await place("a", a)
  await shows("a up, b up")
  assert.equal(await child.stop(), 0)
})

/** Loopback is allowed as a name only. */
function sliceOf(pod: string, port: number) {
  const metadata = { name: `of-${pod}`, namespace: "opa", labels: { "kubernetes.io/service-name": "opa" } }
  return {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata, addressType: "FQDN" },
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: [{ addresses: ["127.0.0.1"], targetRef: { kind: "Pod", name: pod } }],
  }
}
