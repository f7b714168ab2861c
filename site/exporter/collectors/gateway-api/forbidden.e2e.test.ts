import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { type TestContext, test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"
import type { OwnCrd } from "./crds.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { type Document, exporterOf, type RealCluster, startCluster } from "./real-cluster.testing.ts"

interface ClusterRole extends KubernetesObject {
  readonly rules: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

const ROLES: Resource<ClusterRole> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural: "clusterroles",
  kind: "ClusterRole",
}

interface Needed {
  readonly verb: string
  readonly resource: string
}

const UP = /^gateway_metrics_up 1$/m

/** Every kind in its first group, with a CRD as small as can be. */
const ALL: readonly (OwnCrd & { readonly prefix: string })[] = KINDS.map(
  ({ kind, plural, groups: [group = ""], prefix }) => ({
    kind,
    plural,
    group,
    versions: ["v1"],
    prefix,
  }),
)

test("rights that RBAC does not give", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const cluster = await startCluster(outer, kube)
  await cluster.addCrds(ALL)
  for (const { group, kind } of ALL) await cluster.add(outer, objectOf(group, kind))
  const kubeconfig = await cluster.account("default/reader", "get", "clusterroles.rbac.authorization.k8s.io")
  const allow = allowing(cluster, outer.signal)
  await allow(() => ["list", "watch"])
  const all = await cluster.scrape(outer, [], kubeconfig, UP)
  assert.equal(all.watched, all.listed)

  await outer.test("credentials that an exec plugin prints are as good as others", async (t) => {
    const { listed, watched } = await cluster.scrape(t, [], await withPlugin(t, kubeconfig), UP)
    assert.equal(listed, all.listed)
    assert.equal(watched, all.listed)
  })

  const lists = await exporterOf(outer, [], kubeconfig)
  for (const each of ALL) {
    const { plural, group } = each
    await outer.test(`without the right to list ${plural}, everything else is exported`, async () => {
      const needed = { verb: "list", resource: `${plural}.${group}` }
      await allow((other) => (other === plural ? ["watch"] : ["list", "watch"]))
      const text = await until("one refusal", async () => {
        const found = await lists.read()
        return forbidden(needed).test(found) && found.match(/status="forbidden"/g)?.length === 1 ? found : undefined
      })
      assert.deepEqual(text.split("\n"), without(all.listed, each, needed).split("\n"))
      const rule = `{apiGroups: [\\"${group}\\"], resources: [${plural}], verbs: [list]}`
      assert.deepEqual(reasonsIn(lists.logs, needed.resource), [
        `Kubernetes refused to list ${plural}.${group} (403): the account needs the rule ${rule}`,
      ])
    })
  }

  await outer.test("the same is exported by watches, of several kinds at once", async (t) => {
    const refused = ALL.filter(({ plural }) => ["gateways", "httproutes", "dnspolicies"].includes(plural))
    await allow((other) => (refused.some(({ plural }) => plural === other) ? ["watch"] : ["list", "watch"]))
    const dnsPolicies = forbidden({ verb: "list", resource: "dnspolicies.kuadrant.io" })
    const { listed, watched } = await cluster.scrape(t, [], kubeconfig, dnsPolicies)
    assert.equal(watched, listed)
    const expected = refused.reduce(
      (text, each) => without(text, each, { verb: "list", resource: `${each.plural}.${each.group}` }),
      all.listed,
    )
    assert.deepEqual(listed.split("\n"), expected.split("\n"))
  })

  await outer.test(
    "with the right to list but not to watch, watching exports what was listed and says what is missing",
    async (t) => {
      const needed = { verb: "watch", resource: "httproutes.gateway.networking.k8s.io" }
      await allow((each) => (each === "httproutes" ? ["list"] : ["list", "watch"]))
      const exporter = await exporterOf(t, ["--kubernetes.watch"], kubeconfig)
      const text = await until("the watch to be refused", async () => {
        const found = await exporter.read()
        return forbidden(needed).test(found) ? found : undefined
      })
      const state =
        '{customresource_group="gateway.networking.k8s.io",customresource_kind="HTTPRoute",customresource_version="v1",status='
      assert.equal(
        text,
        all.listed
          .replace("\ngateway_metrics_up 1\n", "\ngateway_metrics_up 0\n")
          .replace(`${state}"listed"}`, `${state}"forbidden",verb="watch",resource="${needed.resource}"}`),
      )
      assert.match(
        exporter.logs.join(""),
        /403.*the account needs the rule \{apiGroups: .*, resources: \[httproutes\], verbs: \[watch\]\}/,
      )
    },
  )

  await outer.test("without any right, the exposition says of each kind what is missing", async (t) => {
    await allow(() => [])
    const { listed, watched } = await cluster.scrape(
      t,
      [],
      kubeconfig,
      forbidden({ verb: "list", resource: "gateways.gateway.networking.k8s.io" }),
    )
    assert.equal(watched, listed)
    assert.equal(listed.match(/^gateway_metrics_kind_status\{.*status="forbidden",verb="list",/gm)?.length, ALL.length)
    assert.doesNotMatch(listed, /^(?:gatewayapi|kuadrant)_/m)
  })
})

const forbidden = ({ verb, resource }: Needed): RegExp =>
  new RegExp(
    `^gateway_metrics_kind_status\\{.*status="forbidden",verb="${verb}",resource="${RegExp.escape(resource)}"\\} 1$`,
    "m",
  )

/** Sets the verbs that the account has for each kind. */
function allowing({ api }: RealCluster, signal: AbortSignal) {
  return async (verbs: (plural: string) => readonly string[]): Promise<void> => {
    const rules = ALL.map(({ group, plural }) => ({ apiGroups: [group], resources: [plural], verbs: verbs(plural) }))
    const value = { rules: rules.filter((rule) => rule.verbs.length > 0) }
    await objectsOf(api, ROLES).patch({ name: "default:reader" }, { type: "merge", value }, signal)
  }
}

/** An exposition with one kind refused. */
function without(text: string, { kind, group, prefix }: (typeof ALL)[number], needed: Needed): string {
  const families = KINDS.find((each) => each.kind === kind)?.families ?? []
  const names = new Set(families.map(({ suffix }) => `${prefix}_${suffix}`))
  const labels = `customresource_group="${group}",customresource_kind="${kind}",customresource_version="v1"`
  const counts = ["objects", "duplicate_samples"].map((name) => `gateway_metrics_${name}{${labels}}`)
  return text
    .split(/(?<=\n)/)
    .filter((line) => !names.has(line.replace(/^# \w+ /, "").replace(/[{ ].*/s, "")))
    .filter((line) => !counts.some((count) => line.startsWith(count)))
    .join("")
    .replace("\ngateway_metrics_up 1\n", "\ngateway_metrics_up 0\n")
    .replace(
      `{${labels},status="listed"}`,
      `{${labels},status="forbidden",verb="${needed.verb}",resource="${needed.resource}"}`,
    )
}

/** Why something could not be read, without what the API responded: once, however often it was read. */
function reasonsIn(logs: readonly string[], what: string): readonly string[] {
  return logs
    .filter((line) => line.includes(`what=${what} `))
    .map((line) => line.replace(/^.*?reason="/, "").replace(/\. Response: .*/s, ""))
}

/** The same kubeconfig with a program that prints the token. */
async function withPlugin(t: TestContext, kubeconfig: string): Promise<string> {
  const config = JSON.parse(await readFile(kubeconfig, "utf8")) as {
    readonly users: readonly [{ readonly user: { readonly token: string } }]
  }
  const apiVersion = "client.authentication.k8s.io/v1"
  const credential = { apiVersion, kind: "ExecCredential", status: { token: config.users[0].user.token } }
  const { write } = temporaryFolder(t)
  const file = await write("credential.json", JSON.stringify(credential))
  const user = { exec: { apiVersion, command: "cat", args: [file], interactiveMode: "Never" } }
  return write("kubeconfig", JSON.stringify({ ...config, users: [{ name: "test", user }] }))
}

function objectOf(group: string, kind: string): Document {
  return { apiVersion: `${group}/v1`, kind, metadata: { name: "one", namespace: "apps", labels: { app: "one" } } }
}
