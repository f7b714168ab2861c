import assert from "node:assert/strict"
import { join } from "node:path"
import { suite, test } from "node:test"
import { pino } from "pino"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { longSelector, selectorsOf } from "./bounds.testing.ts"
import { policyFile } from "./policy/load.ts"
import { startScraping } from "../../dev/testing/start-scraping.ts"
import { startTestProxy, TOKEN } from "./testing.ts"

/** What portals in use request, each with one selector that there is a series for. */
const JOBS: Readonly<Record<string, readonly string[]>> = {
  many: ["project_vcpu_usage", ...selectorsOf(211, 90)],
  more: ["project_vcpu_usage", ...selectorsOf(900, 150)],
  long: ["project_vcpu_usage", longSelector(10_058)],
  nameless: ['{job="project_usages"}'],
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`a portal of Prometheus ${version} scrapes as many and as long selectors as portals in use`, async (t) => {
      const folder = need(t, findPrometheus(version))
      const site = await startScraping(t, version, "project_vcpu_usage 1\n")
      if (folder === undefined || site === undefined) return
      const files = temporaryFolder(t)
      const policy = await files.write(
        "policy.yaml",
        `upstreams: ["${site.url}"]
tokens: [{name: portal, env: TOKEN, match: ['{__name__!=""}'], share_everything: true}]
`,
      )
      await until("a series at the site", async () =>
        (await site.query("project_vcpu_usage")).length > 0 ? true : undefined,
      )
      const options = { log: pino({ enabled: false }), now: () => new Date(), env: { TOKEN } }
      const proxy = await startTestProxy(t, site.url, { policy: policyFile(policy, options) })
      await files.write("token", TOKEN)
      const jobs = Object.entries(JOBS).map(([name, match]) => ({
        job_name: name,
        honor_labels: true,
        metrics_path: "/federate",
        scrape_interval: "2s",
        scrape_timeout: "2s",
        params: { "match[]": match },
        authorization: { credentials_file: join(files.path, "token") },
        static_configs: [{ targets: [`127.0.0.1:${proxy.port}`], labels: { from: name } }],
      }))
      const portal = await startPrometheus(
        folder,
        await files.write("portal.yml", JSON.stringify({ scrape_configs: jobs })),
      )
      t.after(() => portal.stop())
      const found = await until("the series of every job", async () => {
        const series = await portal.query("project_vcpu_usage")
        const names = new Set(series.flatMap(({ metric }) => metric.from ?? []))
        return names.size === Object.keys(JOBS).length ? names : undefined
      })
      assert.deepEqual([...found].toSorted(), Object.keys(JOBS).toSorted())
    })
  }
})
