import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { parseNamespaceTemplate } from "../updater/namespace-template.ts"
import { faultOf, isTracked, modeOf, parseDirection } from "./directions.ts"
import { inverseOf } from "./kubernetes-namespace.ts"
import { resourceNames } from "./resource-names.ts"
import { directions } from "./testing.ts"

const tenant = (id: string): TenantId => parseTenant(id) as TenantId

const EXAMPLE = "such as tenant=a:import, namespace=x:mirror, tenant=a,namespace=x:off or *:import"
const HOW = `must be WHICH:HOW, with import, mirror or off for HOW, ${EXAMPLE}`
const WHICH = `must name a tenant, a namespace, one of each, or *, ${EXAMPLE}`
const refused: Readonly<Record<string, string>> = {
  "": HOW,
  "tenant=a": HOW,
  "tenant=a:": HOW,
  ":import": HOW,
  "*:export": HOW,
  "a:import": WHICH,
  "tenant=a,tenant=b:import": WHICH,
  "tenant=a,:import": WHICH,
  "tenant=a|b:import": `must have a valid tenant: it must consist of letters, digits and !-_.*'() (has "|")`,
  "tenant=:import": "must have a valid tenant: it must not be empty",
  "namespace=X:import": "must have a valid namespace: it must be the name of a Kubernetes namespace",
}
for (const [text, reason] of Object.entries(refused))
  test(`refuses --tracker ${JSON.stringify(text)}`, () => assert.deepEqual(parseDirection(text), new Wrong(reason)))

test("the first direction that is about both tenant and namespace decides, and none is off", () => {
  const all = directions(
    "tenant=a,namespace=x:off",
    "namespace=x:mirror",
    "tenant=a:import",
    " tenant=*,namespace=y:mirror ",
  )
  const modes = (id: string) => ["x", "y", "z"].map((namespace) => modeOf(all, tenant(id), namespace))
  assert.deepEqual(modes("a"), ["off", "import", "import"])
  assert.deepEqual(modes("b"), ["mirror", "off", "off"])
  assert.deepEqual(modes("*"), ["mirror", "mirror", "off"]) // a tenant of this name
})

test("groups are read of tenants alone that a direction may bring something of", () => {
  const tracked = (...texts: readonly string[]) =>
    ["a", "b"].filter((id) => isTracked(directions(...texts), tenant(id)))
  assert.deepEqual(tracked("tenant=a:import"), ["a"])
  assert.deepEqual(tracked("namespace=x:import"), ["a", "b"])
  assert.deepEqual(tracked("tenant=a:off", "*:mirror"), ["b"])
  assert.deepEqual(tracked("tenant=a,namespace=x:off", "*:mirror"), ["a", "b"])
  assert.deepEqual(tracked("namespace=x:mirror", "*:off"), ["a", "b"])
  assert.deepEqual(tracked("*:off"), [])
})

test("a direction that is never reached is a fault", () => {
  assert.equal(faultOf(directions("tenant=a:import", "tenant=b:mirror", "*:off")), undefined)
  assert.equal(
    faultOf(directions("tenant=a:import", "*:off", "tenant=b,namespace=x:mirror")),
    "tenant=b,namespace=x:mirror is never reached: *:off stands before it and decides",
  )
  assert.equal(
    faultOf(directions("tenant=a:import", "tenant=a:off")),
    "tenant=a:off is never reached: tenant=a:import stands before it and decides",
  )
})

const inverse = (text: string) => {
  const template = parseNamespaceTemplate(text)
  return template instanceof Wrong ? assert.fail(template.reason) : inverseOf(template)
}

test("the namespace of Kubernetes is that of the ruler without what the template adds", () => {
  const names = ["team-a", "fed/team-a/rules", "fed//rules", "fed/A/rules", "fed/rules", "fed/a/b/rules", "", "-a"]
  assert.deepEqual(
    names.map((name) => inverse("{namespace}")?.(name)),
    ["team-a", ...names.slice(1).map(() => undefined)],
  )
  assert.deepEqual(
    names.map((name) => inverse("fed/{namespace}/rules")?.(name)),
    [undefined, "team-a", ...names.slice(2).map(() => undefined)],
  )
})

test("a template of which the namespace of Kubernetes is not known has no inverse", () => {
  for (const text of ["{namespace}/{name}", "{uid}", "{name}", "{namespace}/{namespace}"])
    assert.equal(inverse(text), undefined, text)
})

test("names of resources are those of the original where Kubernetes takes them, and differ in any case", () => {
  const SHA = "34fafddda8f42376094beb762e514a67b6f019e7" // of a-b
  assert.equal(resourceNames(tenant("red"), "a_b")[0], `red-${SHA}`)
  assert.equal(resourceNames(tenant("a.b-c"), "a-b")[0], `a.b-c-${SHA}`)
  const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
  const pairs = ["Red", "red", "RED", "!", "(a)", "a.", "..a", "__a", "x".repeat(150), "É"].flatMap((id) =>
    ["a_b", "a-b", "ä/☃ \n", "y".repeat(5000)].map((group) => resourceNames(id as TenantId, group)),
  )
  for (const name of pairs.flat()) assert.ok(SUBDOMAIN.test(name) && name.length <= 253, name)
  const own = pairs.map((names) => names.at(-1))
  assert.equal(new Set(own).size, own.length)
})
