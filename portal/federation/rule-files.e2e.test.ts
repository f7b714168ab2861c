import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal, type TestPortal } from "./testing.ts"

interface Summary {
  readonly banners: readonly { readonly id: string; readonly message: string }[]
  readonly config: { readonly confirmed: string | null; readonly rule_files: readonly string[] }
}

const rules = (alert: string): string =>
  JSON.stringify({ groups: [{ name: "own", rules: [{ alert, expr: "vector(1)" }] }] })

async function summaryOf({ url }: TestPortal): Promise<Summary> {
  return (await (await fetch(`${url}/api/v1/summary`)).json()) as Summary
}

async function alertsOf(prometheus: { readonly url: string }): Promise<readonly string[]> {
  const { data } = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as {
    readonly data: { readonly groups: readonly { readonly rules: readonly { readonly name: string }[] }[] }
  }
  return data.groups.flatMap((group) => group.rules.map(({ name }) => name))
}

test("shows which rule files Prometheus confirmed, and why it refuses one, while those before stay in force", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const portal = await startFederatedPortal(t, prometheus, {
    "sites.yaml": "sites: []\n",
    "base.yml": "rule_files: [own.yml]\n",
    "own.yml": rules("First"),
  })
  const confirmed = (files: string) =>
    until(`the confirmation of ${files}`, async () => {
      const { banners, config } = await summaryOf(portal)
      return banners.length === 0 && config.confirmed !== null && config.rule_files.join() === files ? true : undefined
    })
  await confirmed("own.yml")
  assert.match(await (await fetch(portal.url)).text(), /the configuration of sites\.yaml and 1 rule file </)

  await portal.write("own.yml", rules("Not an { alert").replace("vector(1)", "vector("))
  const refused = await until("the refusal", async () => {
    const { banners, config } = await summaryOf(portal)
    return config.confirmed === null ? banners.find(({ id }) => id === "config_refused") : undefined
  })
  assert.match(refused.message, /refused its new configuration/)
  assert.deepEqual(await alertsOf(portal.prometheus), ["First"])

  await portal.write("own.yml", rules("Second"))
  await confirmed("own.yml")
  assert.deepEqual(await alertsOf(portal.prometheus), ["Second"])

  await portal.write("other.yml", rules("Third"))
  await portal.write("base.yml", "rule_files: [own.yml, other.yml]\n")
  await confirmed("own.yml,other.yml")
  assert.deepEqual(await alertsOf(portal.prometheus), ["Third", "Second"])
})
