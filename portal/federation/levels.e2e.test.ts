import assert from "node:assert/strict"
import { test } from "node:test"
import { stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal, startSite, startTokenDoor } from "./testing.ts"

const EXPOSITION = 'node_load1{location="rack1"} 1\nnode_load1{location="rack2"} 2\n'
/** What a site and a portal share here: the readings, and whether their own targets are up. */
const MATCH = ['{__name__=~"node_load1|up"}']

const site = (name: string, url: string, location: string) => ({
  name,
  url,
  labels: { location },
  match: MATCH,
  interval: "1s",
  timeout: "1s",
  token: { file: "token" },
})

test("series of two sites behind a regional portal stay apart at the portal above it", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const [a, b] = await Promise.all([startSite(t, prometheus, EXPOSITION), startSite(t, prometheus, EXPOSITION)])
  const portal = (sites: readonly object[]) =>
    startFederatedPortal(t, prometheus, { token: "token", "sites.yaml": stringify({ sites }) })
  const region = await portal([site("site-a", a.url, "city-a"), site("site-b", b.url, "city-b")])
  const door = await startTokenDoor(t, region.prometheus.url)
  for (const { tokens } of [a, b, door]) tokens.add("token")
  const top = await portal([site("region-1", door.url, "north"), site("site-b", b.url, "east")])

  const own = [
    { site: "region-1", location: "north" },
    { site: "site-b", location: "east" },
  ]
  const below = [
    { ...own[0], exported_site: "site-a", exported_location: "city-a" },
    { ...own[0], exported_site: "site-b", exported_location: "city-b" },
  ]
  const loads = (labels: object, rack: string) => [
    { ...labels, [rack]: "rack1", job: "project_usages", value: "1" },
    { ...labels, [rack]: "rack2", job: "project_usages", value: "2" },
  ]
  const expected = {
    node_load1: [
      ...below.flatMap((labels) => loads(labels, "exported_exported_location")),
      ...loads(own[1] ?? {}, "exported_location"),
    ],
    up: [
      ...own.map((labels) => ({ ...labels, job: labels.site, value: "1" })),
      ...below.flatMap((labels) => [
        { ...labels, job: labels.exported_site, value: "1" },
        { ...labels, job: "project_usages", value: "1" },
      ]),
      { ...own[1], job: "project_usages", value: "1" },
    ],
  }
  const sorted = (series: readonly object[]) =>
    series.map((one) => JSON.stringify(Object.entries(one).toSorted(([x], [y]) => (x < y ? -1 : 1)))).toSorted()
  for (const [name, series] of Object.entries(expected)) {
    await until(name, async () => {
      const seen = (await top.prometheus.query(name)).map(
        ({ metric: { __name__: _name, instance: _instance, ...labels }, value: [, value] }) => ({ ...labels, value }),
      )
      assert.deepEqual(sorted(seen), sorted(series))
      return true
    })
  }
})
