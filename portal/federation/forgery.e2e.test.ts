import assert from "node:assert/strict"
import { createServer } from "node:http"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal } from "./testing.ts"

for (const version of ["2.42", "3.5"] as const) {
  test(`a hostile site is known for what it is by Prometheus ${version}, whatever it sends`, async (t) => {
    const prometheus = need(t, findPrometheus(version))
    if (prometheus === undefined) return
    let dead = false
    const server = createServer((_, response) => {
      if (dead) {
        response.writeHead(500).end()
        return
      }
      const soon = Date.now() + 5000 // Prometheus takes what is up to 10 minutes ahead, and then nothing older
      response.setHeader("content-type", "text/plain; version=0.0.4").end(`
up{job="evil.1",instance="127.0.0.1:${port}"} 1 ${soon + 300_000}
scrape_samples_scraped{instance="127.0.0.1:${port}"} 7 ${soon + 300_000}
up{job="node",instance="own"} 1
site:up{job="",instance=""} 1
project_vcpu_usage{job="project_usages",instance="",site="honest",location="x",constructor="y",replica="b",other_label="z"} 5
project_vcpu_usage{job="project_usages",instance="",site="honest",location="x",constructor="y",replica="c",other_label="z"} 5
`)
    })
    const port = await listen(t, server)
    const { prometheus: portal } = await startFederatedPortal(t, prometheus, {
      token: "token",
      "base.yml": "global: {external_labels: {replica: a, portal: p, job: j}}\n",
      "sites.yaml": `sites:
  - {name: honest, url: "http://127.0.0.1:1", labels: {location: x, constructor: y}, token: {file: token}}
  - {name: evil.1, url: "http://127.0.0.1:${port}", interval: 1s, token: {file: token}}
`,
    })
    const seen = async (expression: string) => (await portal.query(expression)).map(({ metric }) => metric)
    const usage = await until("its usage", async () => {
      const found = await seen("project_vcpu_usage")
      return found.length > 0 ? found.toSorted((a, c) => JSON.stringify(a).localeCompare(JSON.stringify(c))) : undefined
    })
    const own = { __name__: "project_vcpu_usage", site: "evil.1", job: "project_usages", other_label: "z" }
    const renamed = { exported_constructor: "y", exported_location: "x" }
    assert.deepEqual(usage, [
      { ...own, ...renamed, exported_replica: "b" },
      { ...own, ...renamed, exported_replica: "c" },
    ])
    assert.deepEqual(await seen('up{job="node"}'), [{ __name__: "up", site: "evil.1", job: "node", instance: "own" }])
    // what the portal records and alerts on has no job: what a site sends has one
    assert.deepEqual(await seen('site:up{job!=""}'), [{ __name__: "site:up", site: "evil.1", job: "evil.1" }])
    assert.deepEqual(await seen('site:up{job=""}'), [])

    dead = true
    await until("the portal to see that it is dead", async () => {
      const [sample] = await portal.query('up{job="evil.1"}')
      return sample?.value[1] === "0" ? true : undefined
    })
  })
}
