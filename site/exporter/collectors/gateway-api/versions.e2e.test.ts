import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import * as fc from "fast-check"
import { need } from "../../../../dev/testing/component.ts"
import { findKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import { named } from "./any-object.testing.ts"
import { type Crd, CRDS } from "./crds.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { type Document, type RealCluster, startCluster } from "./real-cluster.testing.ts"
import { renderAs } from "./render.testing.ts"
import { valuesOf } from "./schema.testing.ts"
import { strictSamples } from "./strict.testing.ts"

/** A CRD that was just installed may be refused for a moment. */
const UP = /^gateway_metrics_up 1$/m

test("versions that a real API serves", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const cluster = await startCluster(outer, kube)
  await cluster.install("standard")
  const routes = ["HTTPRoute", "TLSRoute", "TCPRoute"].map((kind) => routeOf(kind))
  for (const route of routes) await cluster.add(outer, route)

  await outer.test("of the standard channel every kind is read as v1, and the others are not installed", async (t) => {
    const states = await statesOf(t, cluster)
    const standard = [
      "GatewayClass",
      "Gateway",
      "ListenerSet",
      "HTTPRoute",
      "GRPCRoute",
      "TLSRoute",
      "TCPRoute",
      "UDPRoute",
      "BackendTLSPolicy",
    ]
    assert.deepEqual(
      states.filter((state) => !state.endsWith("not_installed")),
      standard.map((kind) => `${kind} v1 listed`),
    )
    assert.equal(states.length, KINDS.flatMap(({ groups }) => groups).length)
  })

  await cluster.install("experimental")

  await outer.test(
    "of the experimental channel v1 is read, beside the alphas of kinds that have nothing else",
    async (t) => {
      const states = await statesOf(t, cluster)
      assert.deepEqual(
        states.filter((state) => state.endsWith(" listed") && !state.endsWith(" v1 listed")),
        ["XBackendTrafficPolicy v1alpha1 listed", "XBackend v1alpha1 listed", "XMesh v1alpha1 listed"],
      )
      assert(states.includes("TLSRoute v1 listed"))
    },
  )

  await outer.test("each kind is read in the newest version that is served of it, whatever others have", async (t) => {
    await serve(t, cluster, "tlsroutes", ["v1alpha2", "v1alpha3"])
    await serve(t, cluster, "tcproutes", ["v1alpha2"])
    await serve(t, cluster, "httproutes", ["v1beta1"])
    const { listed, watched } = await cluster.scrape(t, [], undefined, UP)
    assert.equal(watched, listed)
    assert.deepEqual(
      strictSamples(listed)
        .filter(({ name }) => name.endsWith("_parent_info"))
        .map(({ name, labels }) => `${name} ${labels.get("customresource_version")} ${labels.get("name")}`),
      [
        "gatewayapi_httproute_parent_info v1beta1 route",
        "gatewayapi_tlsroute_parent_info v1alpha3 route",
        "gatewayapi_tcproute_parent_info v1alpha2 route",
      ],
    )
    const overridden = await cluster.scrape(t, [
      "--customresource-version-override=TLSRoute=v1alpha2",
      "--kinds=TLSRoute",
    ])
    assert.equal(overridden.watched, overridden.listed)
    assert.deepEqual(
      [
        ...new Set(
          strictSamples(overridden.listed).map(
            ({ name, labels }) => `${name.replace(/_.*/, "")} ${labels.get("customresource_version")}`,
          ),
        ),
      ],
      // what the exporter says of itself is what it did
      ["gatewayapi v1alpha2", "gateway undefined", "gateway v1alpha3"],
    )
  })

  await outer.test("whatever the schema of a CRD allows, Prometheus takes", async () => {
    const crds = (
      await Promise.all(names(KINDS).map((name) => objectsOf(cluster.api, CRDS).get({ name }, outer.signal)))
    ).filter((crd) => crd !== undefined)
    assert.equal(crds.length, 12)
    for (const crd of crds) {
      for (const version of crd.spec.versions) checkSchema(crd, version)
    }
  })
})

const names = (kinds: typeof KINDS): readonly string[] =>
  kinds.flatMap(({ plural, groups }) => groups.map((group) => `${plural}.${group}`))

function checkSchema(
  {
    spec: {
      names: { kind },
    },
  }: Crd,
  { schema }: Crd["spec"]["versions"][number],
): void {
  const { spec, status } = schema.openAPIV3Schema.properties ?? {}
  const metadata = fc.record({ generation: fc.integer({ min: 1, max: 3 }) })
  const objects = fc.record({ metadata, spec: valuesOf(spec ?? {}), status: valuesOf(status ?? {}) })
  fc.assert(
    fc.property(objects, (object) => {
      const { texts } = renderAs(kind, named(object, "n"))
      const headed = texts
        .filter((text) => text !== "")
        .map((text) => {
          const family = text.replace(/\{.*/s, "")
          return `# HELP ${family} H.\n# TYPE ${family} gauge\n${text}`
        })
      for (const { labels } of strictSamples(headed.join(""))) assert.equal(labels.get("name"), "n")
    }),
    { numRuns: 50 },
  )
}

/** Of every kind in every group, what the exporter says of it: the same by lists and by watches. */
async function statesOf(t: TestContext, cluster: RealCluster): Promise<readonly string[]> {
  const { listed, watched } = await cluster.scrape(t, [], undefined, UP)
  assert.equal(watched, listed)
  const states = strictSamples(listed).filter(({ name }) => name === "gateway_metrics_kind_status")
  return states.map(({ labels }) =>
    ["kind", "version"]
      .map((each) => labels.get(`customresource_${each}`) ?? "-")
      .concat(labels.get("status") ?? "")
      .join(" "),
  )
}

/** Has the API serve these versions of a kind only. */
async function serve(t: TestContext, { api }: RealCluster, plural: string, versions: readonly string[]): Promise<void> {
  const [stored, name] = [objectsOf(api, CRDS), `${plural}.gateway.networking.k8s.io`]
  const crd = await stored.get({ name }, t.signal)
  assert(crd !== undefined)
  const changed = crd.spec.versions.map((version) => ({ ...version, served: versions.includes(version.name) }))
  await stored.patch({ name }, { type: "merge", value: { spec: { versions: changed } } }, t.signal)
  const path = `/apis/gateway.networking.k8s.io/${versions[0]}`
  const gone = crd.spec.versions.find((version) => !versions.includes(version.name))?.name
  const listed = async (version: string | undefined): Promise<boolean> => {
    const request = {
      verb: "get",
      path: path.replace(/[^/]+$/, version ?? ""),
      description: "read its kinds",
      rule: "",
    } as const
    const found = (await api.send(request, t.signal)) as { readonly resources: readonly { readonly name: string }[] }
    return found.resources.some((resource) => resource.name === plural)
  }
  await until(`${plural} in ${versions.join()} only`, async () => {
    const served = await Promise.all(versions.map(listed))
    return served.every(Boolean) && !(await listed(gone)) ? true : undefined
  })
}

function routeOf(kind: string): Document {
  const rules = kind === "HTTPRoute" ? {} : { rules: [{ backendRefs: [{ name: "db", port: 1 }] }] }
  const hostnames = kind === "TLSRoute" ? { hostnames: ["a.example.com"] } : {}
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name: "route", namespace: "apps" },
    spec: { parentRefs: [{ name: "edge" }], ...rules, ...hostnames },
  }
}
