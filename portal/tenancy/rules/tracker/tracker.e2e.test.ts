import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../../dev/testing/cortex.ts"
import { findKubernetes, startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { CRD, groupsAt, recordWrites, startTestInformer } from "../testing.ts"
import { resourceNames } from "./resource-names.ts"

const MANIFESTS = join(import.meta.dirname, "../../../kubernetes/rules-informer")
const nameOf = (tenant: string, group: string): string => resourceNames(tenant as TenantId, group)[0] ?? ""

test("rules of a real Cortex in a real Kubernetes API", { timeout: 300_000 }, async (t) => {
  const [kube, program] = [need(t, findKubernetes()), need(t, findCortex())]
  if (kube === undefined || program === undefined) return
  const [kubernetes, cortex] = await Promise.all([startKubernetes(t, kube), startCortex(t, program)])
  const { kubectl } = kubernetes
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "crd/openmetricsrules.open-metrics.vgs.io"])
  const kubeconfig = await kubernetes.account("tenancy/rules-informer")
  await kubectl(["create", "namespace", "team-b"])
  await kubectl([
    "apply",
    "-n",
    "tenancy",
    "-f",
    join(MANIFESTS, "role.yaml"),
    "-f",
    join(MANIFESTS, "rolebinding.yaml"),
  ])
  await kubectl(["apply", "-n", "team-b", "-k", join(MANIFESTS, "namespace")])
  await kubectl(["apply", "-f", join(MANIFESTS, "imports.yaml")])
  await kubectl(["apply", "-n", "team-b", "-f", join(MANIFESTS, "tracker.yaml")])

  const recorded = await recordWrites(t, cortex.url)
  const put = async (tenant: string, name: string, expr: string): Promise<void> => {
    const body = `name: ${JSON.stringify(name)}\nrules: [{alert: A, expr: "${expr}", for: 60s, labels: {severity: page}}]\n`
    const headers = { "x-scope-orgid": tenant, "content-type": "application/yaml" }
    const response = await fetch(`${cortex.url}/api/v1/rules/team-b`, { method: "POST", headers, body })
    assert.equal(response.status, 202, await response.text())
  }
  const resources = async (): Promise<readonly string[]> =>
    (
      await kubectl([
        "get",
        "openmetricsrules",
        "-n",
        "team-b",
        "-o=jsonpath={range .items[*]}{.metadata.name} {.spec.groups[0].rules[0].expr}{'\\n'}{end}",
      ])
    )
      .split("\n")
      .filter((line) => line !== "")
      .toSorted()
  const expectResources = (...wanted: readonly string[]) =>
    until("the resources", async () => {
      assert.deepEqual(await resources(), wanted.toSorted())
      return true
    })
  const [red, blue] = [nameOf("red", "über/a_b"), nameOf("blue", "g")]
  await put("red", "über/a_b", "up == 0")
  await put("blue", "g", "up == 1")

  const informer = await startTestInformer(t, [
    ...["--kubeconfig", kubeconfig, "--ruler-upstream-url", recorded.url],
    ...["--namespace", "tenancy", "--namespace", "team-b", "--lease-namespace", "tenancy", "--lease-duration", "3s"],
    ...["--tracker", "tenant=red:import", "--tracker", "tenant=blue:mirror", "--tracker-poll-interval-seconds", "1"],
  ])

  await t.test(
    "a group is imported, its resource adopts it, and one is mirrored, without a write to the ruler",
    async () => {
      await expectResources(`${red} up == 0`, `${blue} up == 1`)
      await kubectl(["wait", "-n", "team-b", `openmetricsrule/${red}`, "--for=condition=Synced", "--timeout=20s"])
      assert.deepEqual(recorded.writes(), [])
      assert.match(
        await kubectl(["get", "-n", "tenancy", "configmap/rules-informer-imports", "-o=jsonpath={.data.team-b}"]),
        /^\["über\/a_b","red"\]$/m,
      )
    },
  )

  await t.test("a mirror follows the ruler, and an import is edited in Kubernetes", async () => {
    await put("blue", "g", "up == 2")
    await expectResources(`${red} up == 0`, `${blue} up == 2`)
    const edit = [{ op: "replace", path: "/spec/groups/0/rules/0/expr", value: "up == 3" }]
    await kubectl(["patch", "-n", "team-b", `openmetricsrule/${red}`, "--type=json", `-p=${JSON.stringify(edit)}`])
    await until("the write", () => recorded.writes().some((write) => write.includes("red")))
    await expectResources(`${red} up == 3`, `${blue} up == 2`)
  })

  await t.test("what is deleted in Kubernetes is gone from the ruler and does not come back", async () => {
    await kubectl(["delete", "-n", "team-b", `openmetricsrule/${red}`])
    assert.deepEqual(await groupsAt(cortex.url, "red"), {})
    await put("red", "über/a_b", "up == 0")
    await put("red", "other", "up == 4")
    await expectResources(`${nameOf("red", "other")} up == 4`, `${blue} up == 2`)
  })

  await t.test("a mirror that somebody has changed is left alone, and an Event says so", async () => {
    const edit = [{ op: "replace", path: "/spec/groups/0/rules/0/expr", value: "mine" }]
    await kubectl(["patch", "-n", "team-b", `openmetricsrule/${blue}`, "--type=json", `-p=${JSON.stringify(edit)}`])
    await until("the Event", async () =>
      (await kubectl(["get", "events.events.k8s.io", "-n", "team-b", "-o=jsonpath={.items[*].reason}"])).includes(
        "MirrorNotFollowing",
      ),
    )
    assert.ok((await resources()).includes(`${blue} mine`))
    assert.doesNotMatch(informer.log(), /tracker failed/)
  })
})
