import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { testManifests } from "./testing.ts"

testManifests({
  name: "tenancy-exposition",
  kinds: [
    "serviceaccount",
    "service",
    "deployment.apps",
    "poddisruptionbudget.policy",
    "horizontalpodautoscaler.autoscaling",
    "networkpolicy.networking.k8s.io",
  ],
  rights: [],
  ports: { http: 19_094, metrics: 19_095 },
  addresses: ["--web.listen-address=:19094", "--admin.listen-address=:19095"],
})

test("the file of clients is read from a whole folder of the Secret, where a change of it shows, and no API token is mounted", async () => {
  const text = await readFile(join(import.meta.dirname, "tenancy-exposition/deployment.yaml"), "utf8")
  const { spec } = (parse(text, { version: "1.1" }) as Deployment).spec.template
  assert.equal(spec.automountServiceAccountToken, false)
  // user 1000 has it by its group
  assert.deepEqual(spec.volumes, [
    { name: "tenants", secret: { secretName: "tenancy-exposition", defaultMode: 0o440 } },
  ])
  const [container] = spec.containers
  assert.deepEqual(container?.volumeMounts, [{ name: "tenants", mountPath: "/etc/fedstack/tenants", readOnly: true }])
  assert.ok(container.args.includes("--tenants=/etc/fedstack/tenants/tenants.yaml"))
})

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly automountServiceAccountToken: boolean
        readonly volumes: readonly object[]
        readonly containers: readonly { readonly args: readonly string[]; readonly volumeMounts: readonly object[] }[]
      }
    }
  }
}
