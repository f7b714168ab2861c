import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { suite, test } from "node:test"
import { parse, stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal } from "../federation/testing.ts"

/** As a site's Prometheus federates: a series without instance says so. */
const SAMPLES = [
  'm{instance="",job="node",location="city-a"} 1',
  'm{instance="",job="node"} 2',
  'm{instance="",job="node",location="rack1"} 3',
  'up{instance="127.0.0.1:9100",job="node"} 1',
  'up{instance="127.0.0.1:9100",job="site-a"} 1',
]

async function expressionOf(alert: string): Promise<string> {
  const { groups } = parse(await readFile(join(import.meta.dirname, "rules/sites.yml"), "utf8")) as {
    groups: { rules: { alert?: string; expr: string }[] }[]
  }
  return groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === alert)?.expr ?? ""
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`Prometheus ${version} notices that two series of a site have become one, and nothing where none have`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const server = createServer((_, response) =>
        response.setHeader("content-type", "text/plain; version=0.0.4").end(`${SAMPLES.join("\n")}\n`),
      )
      const url = `http://127.0.0.1:${await listen(t, server)}`
      const site = (name: string, location: string) => {
        return {
          name,
          url: `${url}/${name}`,
          labels: { location },
          interval: "1s",
          timeout: "1s",
          token: { file: "token" },
        }
      }
      const { prometheus: portal } = await startFederatedPortal(t, prometheus, {
        token: "token",
        "sites.yaml": stringify({ sites: [site("site-a", "city-a"), site("site-b", "city-b")] }),
      })
      await until("both sites", async () => {
        const series = await portal.query(`scrape_samples_post_metric_relabeling == ${SAMPLES.length}`)
        return series.length === 2 ? true : undefined
      })
      const missing = await portal.query(await expressionOf("SiteSeriesMissing"))
      assert.deepEqual(
        missing.map(({ metric, value: [, count] }) => [metric, count]),
        [[{ site: "site-a" }, "4"]],
      )
    })
  }
})
