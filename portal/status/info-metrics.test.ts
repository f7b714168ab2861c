import assert from "node:assert/strict"
import { test } from "node:test"
import { Registry } from "prom-client"
import { CAUSES, ENTRIES } from "../diagnosis/causes/index.ts"
import { infoMetrics } from "./info-metrics.ts"

async function valuesOf(registry: Registry, name: string) {
  const values = (await registry.getSingleMetric(name)?.get())?.values ?? []
  return values.map(({ labels, value }) => ({ ...labels, value }))
}

function registryWith(url?: string): Registry {
  const registry = new Registry()
  infoMetrics(registry, url === undefined ? undefined : new URL(url))
  return registry
}

test("every cause has its words without details, and no placeholder", async () => {
  const values = await valuesOf(registryWith(), "fedstack_portal_cause_info")
  assert.deepEqual(
    values.map((labels) => ("cause" in labels ? labels.cause : undefined)),
    ENTRIES.map(({ id }) => id),
  )
  assert.deepEqual(
    values.find((labels) => "cause" in labels && labels.cause === "tls_expired"),
    {
      cause: "tls_expired",
      sentence: "The site's certificate expired.",
      todo: "Ask the site's admin to renew the certificate of their proxy.",
      value: 1,
    },
  )
  assert.doesNotMatch(JSON.stringify(values), /[[\]{}|]\s*\w+[|}]|\{\w+\}/)
})

test("a cause that is probably the portal's where many sites have it says what is wrong then", async () => {
  const values = await valuesOf(registryWith(), "fedstack_portal_shared_cause_info")
  assert.deepEqual(
    values.map((labels) => ("cause" in labels ? labels.cause : undefined)),
    ENTRIES.filter(({ atPortal }) => atPortal !== undefined).map(({ id }) => id),
  )
  assert.deepEqual(
    values.find((labels) => "cause" in labels && labels.cause === "resolver_failed"),
    { cause: "resolver_failed", ...CAUSES.resolver_failed.atPortal, value: 1 },
  )
})

test("the page is named where its URL is given, without a slash at the end", async () => {
  assert.deepEqual(await valuesOf(registryWith("https://portal.example.org/fed/"), "fedstack_portal_info"), [
    { external_url: "https://portal.example.org/fed", value: 1 },
  ])
  assert.deepEqual(await valuesOf(registryWith(), "fedstack_portal_info"), [])
})
