import assert from "node:assert/strict"
import test from "node:test"
import { parseSelector } from "#core/promql/parse.ts"
import type { TenantId } from "../tenants/tenant.ts"
import type { Version } from "./message/version.ts"
import { write } from "./senders/messages.testing.ts"
import type { Sender } from "./senders/sender.ts"
import { seriesRules } from "./senders/series-rules.ts"
import { splitMessage } from "./split-message.ts"
import { metadata, up } from "./split/v1.testing.ts"
import { routeByLabel } from "./split/v2.testing.ts"

const VERSIONS: readonly Version[] = [1, 2]

const sender: Sender = {
  ...{ name: "site-a", tenant: undefined, tenants: new Set(["red" as TenantId]), paused: undefined, where: "" },
  rules: seriesRules("site-a", { labels: { site: "a" }, match: [parseSelector("up")] }, ["site"]),
  limits: { concurrent: Infinity, requestsPerSecond: Infinity, bytesInFlight: Infinity, samplesPerSecond: Infinity },
}

for (const version of VERSIONS) {
  test(`what a sender's rules and its tenants set aside is received, and rejected: version ${version}`, () => {
    const series = (name: string, tenant: string) => ({
      ...{ labels: [["__name__", name] as const, ["tenant_id", tenant] as const], samples: [1, 2], exemplars: [] },
    })
    const message = write(version, [series("up", "red"), series("up", "blue"), series("secret", "red")])
    const { received, slices, rejected, rejectedSeries, rejectedKinds, rejectedCounts } = splitMessage(
      message,
      version,
      { sender },
      routeByLabel(),
    )
    assert.deepEqual(received, { samples: 6, histograms: 0, exemplars: 0 })
    assert.deepEqual(
      slices.map(({ tenant, series: count }) => [tenant, count]),
      [["red", 1]],
    )
    assert.deepEqual(rejectedKinds, { malformed: 0, tenant: 1, too_many_tenants: 0, not_shared: 1 })
    assert.deepEqual([rejectedSeries, rejectedCounts], [2, { samples: 4, histograms: 0, exemplars: 0 }])
    assert.deepEqual(rejected, [
      {
        tenant: "",
        reason: "none of the selectors of site-a selects it; keep such series back with write_relabel_configs",
        series: 1,
        example: 'secret{tenant_id="red"}',
      },
      {
        tenant: "blue",
        reason: 'site-a may not write for the tenant "blue"',
        series: 1,
        example: 'up{job="site-a", site="a", tenant_id="blue"}'.replace("site-a", "exported_a"),
      },
    ])
  })

  test(`without rules a message is split as it is: version ${version}`, () => {
    const message = write(version, [{ labels: [["__name__", "up"]], samples: [1], exemplars: [] }])
    for (const one of [undefined, { ...sender, tenants: undefined, rules: undefined }]) {
      const { slices, rejectedSeries } = splitMessage(message, version, { sender: one }, routeByLabel())
      assert.deepEqual([slices.map(({ tenant }) => tenant), rejectedSeries], [["0"], 0])
    }
  })
}

test("metadata of version 1 goes where the series of its sender go, and to no tenant of others", () => {
  const routing = routeByLabel()
  const tenants = (one: Sender | undefined): string[] =>
    splitMessage(metadata("up", 2, "Up."), 1, { sender: one }, routing).slices.map(({ tenant }) => tenant)
  // series of others, who may write for all tenants
  splitMessage(Buffer.concat([up("red", "a"), up("blue", "a")]), 1, { sender: undefined }, routing)
  assert.deepEqual(tenants(undefined), ["red", "blue", "0"])
  assert.deepEqual(tenants(sender), [])
  splitMessage(Buffer.concat([up("red", "b"), up("blue", "b")]), 1, { sender }, routing)
  assert.deepEqual(tenants(sender), ["red"])
  const labelled = seriesRules("site-b", { labels: { tenant_id: "green" } }, ["tenant_id"])
  assert.deepEqual(tenants({ ...sender, name: "site-b", tenants: new Set(["green" as TenantId]), rules: labelled }), [
    "green",
  ])
})
