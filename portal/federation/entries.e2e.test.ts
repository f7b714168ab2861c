import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal, startSite } from "./testing.ts"

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of ["2.42", "3.5"] as const) {
    test(`Prometheus ${version} scrapes two entries of one url apart, and no rule of sites.yaml makes a series another site's`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const site = await startSite(
        t,
        prometheus,
        ["usage", "load"].map((name) => `${name}{prometheus_replica="b",pod_id="7",zone="z1"} 5\n`).join(""),
      )
      site.tokens.add("t0ken")
      const entry = (name: string, match: string): string => `
  - name: ${name}
    url: ${site.url}
    labels: {location: city}
    match: ['{__name__=~"${match}"}']
    interval: 1s
    token: {file: token}
    drop_labels: [prometheus_replica, "null"]
    metric_relabel_configs:
      - {action: labeldrop, regex: pod_.*}
      - {target_label: site, replacement: other}
      - {source_labels: [zone], regex: "z(.*)", target_label: zone_number, replacement: "\${1}"}
`
      const portal = await startFederatedPortal(t, prometheus, {
        token: "t0ken",
        "sites.yaml": `sites:${entry("fast", "usage")}${entry("slow", "load")}`,
      })
      const common = { job: "project_usages", location: "city", zone: "z1", zone_number: "1", exported_site: "other" }
      await until("the series of both", async () => {
        const series = await portal.prometheus.query('{__name__=~"usage|load"}')
        assert.deepEqual(
          series.map(({ metric: { instance: _instance, ...labels } }) => labels).toSorted(byText),
          [
            { __name__: "load", ...common, site: "slow" },
            { __name__: "usage", ...common, site: "fast" },
          ].toSorted(byText),
        )
        return true
      })
      const up = await portal.prometheus.query('sum by (location) (up{site=~"fast|slow"})')
      assert.deepEqual(
        up.map(({ metric, value }) => [metric, value[1]]),
        [[{ location: "city" }, "2"]],
      )
    })
  }
})
