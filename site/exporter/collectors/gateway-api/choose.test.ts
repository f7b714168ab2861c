import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { readSettings } from "#core/config/read-settings.ts"
import { scopeOf } from "./choose.ts"
import { KINDS } from "./kinds/all.ts"
import type { Scope } from "./scope.ts"
import { gatewayApiSettings } from "./settings.ts"

/** What is exported with these arguments and variables. */
function choose(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Scope {
  const usage = { command: "fedstack exporter gateway-api", summary: "", settings: gatewayApiSettings }
  const reading = readSettings(usage, argv, env)
  assert(reading.kind === "values")
  return scopeOf(reading.values)
}

const kindsOf = ({ kinds }: Scope): readonly string[] => kinds.map(({ kind }) => kind)
const familiesOf = ({ kinds }: Scope): readonly string[] =>
  kinds.flatMap(({ prefix, families }) => families.map(({ suffix }) => `${prefix}_${suffix}`))

test("every kind and every family but reasons is exported by default", () => {
  const scope = choose([])
  assert.deepEqual(
    kindsOf(scope),
    KINDS.map(({ kind }) => kind),
  )
  assert.deepEqual(
    familiesOf(choose(["--condition-reasons"])).filter((name) => !familiesOf(scope).includes(name)),
    familiesOf(choose(["--condition-reasons"])).filter((name) => name.endsWith("_condition_reason")),
  )
  assert.deepEqual(scope.namespaces, [])
  assert(scope.labelAllowed("app"))
  assert.equal(scope.versionLabel("HTTPRoute", "v1"), "v1")
})

test("kinds are chosen by name or plural, in any case, several in one flag or several flags, each once", () => {
  const chosen = ["GatewayClass", "Gateway", "HTTPRoute"]
  assert.deepEqual(kindsOf(choose(["--kinds", "HTTPRoute, gateways", "--kinds", "GATEWAYCLASS,gateway"])), chosen)
  assert.deepEqual(kindsOf(choose([], { FEDSTACK_KINDS: "HTTPRoute,Gateway,GatewayClass" })), chosen)
})

test("families are chosen by pattern, and left out by one with a dash", () => {
  const of = (...argv: readonly string[]) => familiesOf(choose(["--kinds=HTTPRoute", ...argv]))
  assert.deepEqual(of("--families", "gatewayapi_httproute_created,gatewayapi_httproute_parent_*"), [
    "gatewayapi_httproute_created",
    "gatewayapi_httproute_parent_info",
    "gatewayapi_httproute_parent_unreported",
  ])
  assert.deepEqual(of("--families=*_created,*_labels", "--families=-*httproute_labels"), [
    "gatewayapi_httproute_created",
  ])
  assert.deepEqual(
    of("--families=-*parent*,-*_labels"),
    ["created", "deleted", "hostname_info"].map((suffix) => `gatewayapi_httproute_${suffix}`),
  )
  assert.deepEqual(of("--families=*_condition_reason", "--condition-reasons"), [
    "gatewayapi_httproute_status_parents_condition_reason",
  ])
  assert.deepEqual(familiesOf(choose([], { FEDSTACK_KINDS: "httproute", FEDSTACK_FAMILIES: "*_created" })), [
    "gatewayapi_httproute_created",
  ])
})

test("a pattern is no regular expression, and matches names as a whole", () => {
  assert.deepEqual(familiesOf(choose(["--families=gatewayapi_gateway_labels"])), ["gatewayapi_gateway_labels"])
  assert.throws(() => choose(["--families=gatewayapi.gateway.labels"]), /no metric family is called/)
  assert.throws(() => choose(["--families=gateway_labels"]), /no metric family is called/)
})

test("a namespace is read once, however often it is named", () => {
  assert.deepEqual(choose(["--namespaces=b,a", "--namespaces=b"]).namespaces, ["a", "b"])
  assert.deepEqual(choose([], { FEDSTACK_NAMESPACES: "b,a" }).namespaces, ["a", "b"])
})

test("Kubernetes labels are allowed by key or pattern", () => {
  const { labelAllowed } = choose(["--labels-allowlist=team,app.kubernetes.io/*"])
  assert.deepEqual(["team", "teams", "app.kubernetes.io/name", "app-kubernetes-io/name", "Team"].map(labelAllowed), [
    true,
    false,
    true,
    false,
    false,
  ])
  const byVariable = choose([], { FEDSTACK_LABELS_ALLOWLIST: "team" })
  assert.deepEqual(["team", "app"].map(byVariable.labelAllowed), [true, false])
})

test("the version in the label is that of the request where no other is set", () => {
  const flag = "--customresource-version-override"
  const { versionLabel } = choose([`${flag}=HTTPRoute=v1beta1,tlsroutes=v1alpha2`])
  assert.equal(versionLabel("HTTPRoute", "v1"), "v1beta1")
  assert.equal(versionLabel("TLSRoute", "v1"), "v1alpha2")
  assert.equal(versionLabel("Gateway", "v1"), "v1")
  const byVariable = choose([], { FEDSTACK_CUSTOMRESOURCE_VERSION_OVERRIDE: "Gateway=v1beta1" })
  assert.equal(byVariable.versionLabel("Gateway", "v1"), "v1beta1")
})

test("names all that is wrong at once, with what may be meant", () => {
  const known = KINDS.map(({ kind }) => kind).join(", ")
  assert.throws(
    () =>
      choose(
        [
          "--kinds=HTTPRoutes,HttpRout,Ingress",
          "--families=gatewayapi_gateway_label,-kube_pod_info,*_nothing_like_it",
          "--families=*_condition_reason",
          "--namespaces=ok,Not_OK",
        ],
        { FEDSTACK_CUSTOMRESOURCE_VERSION_OVERRIDE: "HTTPRoute,Gateway=1,Gatway=v1" },
      ),
    (error: Error) => {
      assert.deepEqual(error.message.split("\n"), [
        "--kinds: no kind is called HttpRout (Did you mean HTTPRoute?): known are " + known,
        "--kinds: no kind is called Ingress: known are " + known,
        "--families: no metric family is called gatewayapi_gateway_label (Did you mean gatewayapi_gateway_labels?): see docs/gateway-api.md",
        "--families: no metric family is called kube_pod_info: see docs/gateway-api.md",
        "--families: no metric family is called *_nothing_like_it: see docs/gateway-api.md",
        "--families: *_condition_reason: reasons of conditions are exported with --condition-reasons only",
        "--namespaces: Not_OK: must be the name of a namespace: lower-case letters, digits and - between them",
        "FEDSTACK_CUSTOMRESOURCE_VERSION_OVERRIDE: HTTPRoute: must be a kind and a version, such as HTTPRoute=v1beta1",
        "FEDSTACK_CUSTOMRESOURCE_VERSION_OVERRIDE: Gateway=1: must be a kind and a version, such as HTTPRoute=v1beta1",
        `FEDSTACK_CUSTOMRESOURCE_VERSION_OVERRIDE: no kind is called Gatway (Did you mean Gateway?): known are ${known}`,
      ])
      return true
    },
  )
})

test("every object is in exactly one of the shards, in each replica the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.string()), (of, keys) => {
      const shards = Array.from({ length: of }, (_, index) => choose([`--shard=${index}/${of}`]))
      for (const key of keys) assert.equal(shards.filter(({ isOurs }) => isOurs(key)).length, 1)
    }),
  )
  const keys = Array.from({ length: 3000 }, (_, index) => `default/route-${index}`)
  const { isOurs } = choose(["--shard=1/3"])
  assert.deepEqual(keys.filter(isOurs), keys.filter(choose(["--shard=1/3"]).isOurs))
  const share = keys.filter(isOurs).length
  assert(share > 900 && share < 1100, String(share))
})
