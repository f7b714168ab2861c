import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { suite, test } from "node:test"
import * as fc from "fast-check"
import { parse } from "yaml"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { listen } from "../../../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../../../dev/testing/prometheus.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { until } from "../../../../dev/testing/until.ts"
import { CONTENT_TYPE } from "#core/metrics/exposition.ts"
import type { KubernetesObject } from "#core/kubernetes/resource.ts"
import { gzip } from "../../body.ts"
import { anyObject, named } from "./any-object.testing.ts"
import { exposed } from "./cluster.testing.ts"
import { createExposition } from "./exposition.ts"
import { KINDS } from "./kinds/all.ts"
import { createFilled } from "./scope.ts"
import { strictSamples } from "./strict.testing.ts"

const OBJECTS = new URL("testdata/objects/", import.meta.url)

const KUBERNETES_LABELS =
  /^[a-z]+_[a-z]+_labels non-(?:histogram metrics should not have "le"|summary metrics should not have "quantile") label$/

const scope = {
  kinds: KINDS,
  namespaces: [],
  isOurs: () => true,
  labelAllowed: () => true,
  versionLabel: (_: string, served: string) => served,
}

/** Of every kind in every group what is allowed and what is not, among it duplicates of all sorts. */
function body(seed: number) {
  const written = readdirSync(OBJECTS).map(
    (file) => parse(readFileSync(new URL(file, OBJECTS), "utf8")) as KubernetesObject & { readonly kind: string },
  )
  const sources = KINDS.flatMap((kind) =>
    kind.groups.map((group) => {
      const filled = createFilled({ kind, group, resource: undefined, namespaced: true }, "v1", scope)
      for (const object of written.filter((each) => each.kind === kind.kind)) filled.put(object)
      filled.put(named({ metadata: { labels: { le: "0.5", quantile: "0.9" } } }, "reserved"))
      fc.sample(anyObject, { numRuns: 40, seed }).forEach((object, index) =>
        filled.put(named(object, `object-${index}`)),
      )
      return filled
    }),
  )
  return {
    families: createExposition()(sources, ""),
    dropped: sources.reduce((sum, { store }) => sum + store.duplicates, 0),
  }
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`Prometheus ${version} stores every sample of whatever objects, and notes nothing against them`, async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const { families, dropped } = body(seedOf(t))
      assert(dropped > 0, "some are left out")
      const text = await exposed({ families })
      const samples = strictSamples(text)
      const expected = samples.length
      for (const reserved of ["le", "quantile"])
        assert(
          samples.some(({ labels }) => labels.has(reserved)),
          `a Kubernetes label ${reserved}`,
        )
      assert.deepEqual(complaints(join(folder, "promtool"), text), [])
      const port = await listen(
        t,
        createServer((_, response) => {
          response.writeHead(200, { "content-type": CONTENT_TYPE, "content-encoding": "gzip" })
          response.end(Buffer.concat(gzip(families, Buffer.alloc(0))))
        }),
      )
      const job = { scrape_interval: "1s", honor_labels: true }
      const config = {
        scrape_configs: [{ ...job, job_name: "gateway-api", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
      }
      const prometheus = await startPrometheus(folder, await temporaryFolder(t).write("p.yml", JSON.stringify(config)))
      t.after(() => prometheus.stop())
      const ownMetric = async (name: string) => {
        const own = await (await fetch(`${prometheus.url}/metrics`)).text()
        return new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(own)?.[1]
      }
      await until("two scrapes", async () => {
        const [scraped] = await prometheus.query('sum_over_time(up{job="gateway-api"}[1m])')
        return Number(scraped?.value[1] ?? 0) >= 2 ? true : undefined
      })
      const values = async (query: string) => (await prometheus.query(query)).map(({ value: [, number] }) => number)
      assert.deepEqual(await values("max_over_time(scrape_samples_post_metric_relabeling[1m])"), [String(expected)])
      assert.deepEqual(await values('count(last_over_time({__name__=~"(gatewayapi|kuadrant)_.+"}[1m]))'), [
        String(expected),
      ])
      for (const reason of ["duplicate_timestamp", "out_of_order", "out_of_bounds"])
        assert.equal(await ownMetric(`prometheus_target_scrapes_sample_${reason}_total`), "0", reason)
      assert.doesNotMatch(
        prometheus.child.output(),
        /Error on ingesting|different value|level=(?:WARN|warn|ERROR|error)/,
      )
    })
  }
})

/**
 * What promtool has against an exposition, but for what is the predecessor's and users' own: names in camel case, and
 * Kubernetes labels called `le` or `quantile`. Only in histograms and summaries Prometheus reads these as numbers.
 */
function complaints(promtool: string, text: string): readonly string[] {
  const { stdout, stderr, status } = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" })
  const lines = `${stdout}${stderr}`
    .split("\n")
    .filter((line) => line !== "" && !line.includes("'snake_case' not 'camelCase'") && !KUBERNETES_LABELS.test(line))
  return status === 0 || status === 3 ? lines : [`exit code ${status}`, ...lines]
}
