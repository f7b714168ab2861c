import assert from "node:assert/strict"
import { createServer } from "node:http"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import * as fc from "fast-check"
import { readText } from "#core/files/read-text.ts"
import { start } from "../../dev/testing/child.ts"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { loadPlan } from "./load.ts"
import { publish } from "./publish.ts"
import { startFederatedPortal, testInputs } from "./testing.ts"

const labelName = fc
  .stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,9}$/)
  .filter((name) => !/^(?:site|job|instance|le|quantile)$/.test(name))
const labelValue = fc.oneof(
  fc.string({ unit: "binary", minLength: 1 }).filter((value) => !/[\p{Cc}\u2028\u2029]/u.test(value)),
  fc.string({
    unit: fc.constantFrom("$", "$1", "${x}", '"', "\\", "#", ": ", "yes", "~", "null", "{{"),
    minLength: 1,
  }),
  fc.integer(),
)
const selector = fc.constantFrom("up", '{job="a"}', '{__name__=~"project_.*_usage",x!="\\n"}', "up{a='b'} # comment")
const url = fc
  .tuple(
    fc.constantFrom("http", "https"),
    fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    ),
    fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    fc.constantFrom("", "/", "/a/b", "/~x.y/_"),
  )
  .map(([scheme, host, port, path]) => `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path}`)
const tls = fc.constantFrom(
  { server_name: "x.example.org", min_version: "TLS12" },
  { ca_file: "ca.pem" },
  { cert_file: "own.pem", key_file: "own.key" },
)
const text = fc.string({ unit: "binary", minLength: 1 }).filter((value) => !/[\p{Cc}\u2028\u2029]/u.test(value))
const credentials = fc.oneof(
  fc.constant({ token: { file: "token" } }),
  fc.record({
    basic_auth: fc.record({
      username: text.map((name) => name.replaceAll(":", "x")),
      password_file: fc.constant("token"),
    }),
  }),
  fc.record({
    authorization: fc.record(
      { type: fc.constantFrom("Token", "Bearer", "x!~"), credentials_file: fc.constant("token") },
      { requiredKeys: ["credentials_file"] },
    ),
  }),
  fc.record({
    oauth2: fc.record(
      {
        client_id: text,
        client_secret_file: fc.constant("token"),
        token_url: fc.constantFrom("https://l.example.org/t?a=b", "https://[2001:db8::1]:8443/%61"),
        scopes: fc.array(text, { minLength: 1, maxLength: 2 }),
        endpoint_params: fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }),
        tls_config: tls,
        proxy_url: fc.constantFrom("http://proxy.example.org:3128", "https://10.0.0.1/"),
      },
      { requiredKeys: ["client_id", "client_secret_file", "token_url"] },
    ),
  }),
)
const line = fc.constantFrom("a", "", "$1", "${1}x", "yes", "010", "ü # x")
const regex = fc.constantFrom("", "~", "null", "(.*)", "a|b", "[^x]{2,3}", "\\d+(?i:x)", ".+$")
const sources = fc.array(labelName, { minLength: 1, maxLength: 3 })
const rule = fc.oneof(
  fc.record({ action: fc.constant("labeldrop"), regex: fc.constantFrom("", "~", "null", "a|b", "\\d+(?i:x)", "x.+$") }),
  fc.record({ action: fc.constant("labelkeep"), regex: regex.map((more) => `__name__|le|quantile|${more}`) }),
  fc.record({ action: fc.constantFrom("keep", "drop"), source_labels: sources, regex, separator: line }),
  fc.record({ action: fc.constantFrom("keepequal", "dropequal"), source_labels: sources, target_label: labelName }),
  fc.record({ action: fc.constant("labelmap"), regex, replacement: fc.constantFrom("a_$1", "x") }),
  fc.record({ action: fc.constantFrom("lowercase", "uppercase"), source_labels: sources, target_label: labelName }),
  fc.record({
    action: fc.constant("hashmod"),
    source_labels: sources,
    target_label: labelName,
    modulus: fc.integer({ min: 1 }),
  }),
  fc.record(
    {
      source_labels: sources,
      regex,
      target_label: fc.oneof(labelName, fc.constantFrom("x_${1}", "a$1", "__tmp")),
      replacement: line,
    },
    { requiredKeys: ["target_label"] },
  ),
)
const site = fc.record(
  {
    name: fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,20}[a-zA-Z0-9])?$/),
    url,
    labels: fc.dictionary(labelName, labelValue, { maxKeys: 4, noNullPrototype: true }),
    match: fc.array(selector, { minLength: 1, maxLength: 3 }),
    interval: fc.integer({ min: 1, max: 86_400 }),
    tls,
    credentials,
    proxy_url: fc.constantFrom("http://proxy.example.org:3128", "http://127.0.0.1"),
    drop_labels: fc.array(labelName, { maxLength: 3 }),
    metric_relabel_configs: fc.array(rule, { maxLength: 4 }),
  },
  { requiredKeys: ["name", "url", "credentials"] },
)
const sites = fc.uniqueArray(site, { maxLength: 12, selector: ({ name }) => name.toLowerCase() }).map((list) =>
  list.map(({ tls: ofSite, credentials: sent, ...rest }, index) => ({
    ...rest,
    ...sent,
    url: `${rest.url.replace(/\/$/, "")}/s${index}`, // each its own
    labels: { ...rest.labels, number: index },
    ...(rest.url.startsWith("https") && ofSite !== undefined ? { tls: ofSite } : {}),
  })),
)

for (const version of ["2.42", "2.53", "3.5"] as const) {
  test(`whatever valid sites there are, promtool ${version} finds nothing wrong with what is written`, async (t) => {
    const prometheus = need(t, findPrometheus(version))
    if (prometheus === undefined) return
    const folder = await mkdtemp(join(tmpdir(), "fedstack-property-"))
    t.after(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, "token"), "token")
    const own = makeAuthority("ca").issue({ name: "own" })
    await writeFile(join(folder, "own.pem"), own.cert)
    await writeFile(join(folder, "own.key"), own.key)
    await writeFile(join(folder, "ca.pem"), await readFile(join(import.meta.dirname, "testdata/complete/ca.pem")))
    const [major = 0, minor = 0] = version.split(".").map(Number)
    await fc.assert(
      fc.asyncProperty(sites, async (list) => {
        await writeFile(join(folder, "sites.yaml"), JSON.stringify({ sites: list }))
        const output = await mkdtemp(join(folder, "out-"))
        const plan = await loadPlan(
          {
            sitesFile: join(folder, "sites.yaml"),
            baseConfig: undefined,
            prometheusVersion: { major, minor },
          },
          [],
          testInputs({}, readText),
        )
        await publish(output, plan.of().files)
        const promtool = start(join(prometheus, "promtool"), ["check", "config", join(output, "prometheus.yml")])
        assert.equal(await promtool.ended, 0, promtool.output())
      }),
      { numRuns: 25 },
    )
  })
}

test("labels reach Prometheus exactly as they stand in sites.yaml", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const folder = await mkdtemp(join(tmpdir(), "fedstack-labels-"))
  t.after(() => rm(folder, { recursive: true }))
  const values = fc.sample(labelValue, { numRuns: 60, seed: 7 })
  const labels = Object.fromEntries(values.map((value, index) => [`label_${index}`, value]))
  await mkdir(join(folder, "in"))
  await writeFile(join(folder, "in/token"), "token")
  const list = [{ name: "a", url: "http://127.0.0.1:1", labels, token: { file: "token" } }]
  await writeFile(join(folder, "in/sites.yaml"), JSON.stringify({ sites: list }))
  const settings = { sitesFile: join(folder, "in/sites.yaml"), baseConfig: undefined }
  const plan = await loadPlan({ ...settings, prometheusVersion: { major: 2, minor: 42 } }, [], testInputs({}, readText))
  await publish(join(folder, "out"), plan.of().files)
  const running = await startPrometheus(prometheus, join(folder, "out/prometheus.yml"))
  t.after(() => running.stop())
  const targets = await until("the target", async () => {
    const response = (await (await fetch(`${running.url}/api/v1/targets`)).json()) as {
      data: { activeTargets: { labels: Record<string, string> }[] }
    }
    return response.data.activeTargets.length > 0 ? response.data.activeTargets : undefined
  })
  const expected = Object.fromEntries(values.map((value, index) => [`label_${index}`, String(value)]))
  assert.deepEqual(
    targets.map((target) => target.labels),
    [{ ...expected, instance: "127.0.0.1:1", job: "a", site: "a" }],
  )
})

for (const version of ["2.42", "3.5"] as const) {
  test(`Prometheus ${version} labels what a hostile site sends as that site's`, async (t) => {
    const prometheus = need(t, findPrometheus(version))
    if (prometheus === undefined) return
    let dead = false
    const server = createServer((_, response) => {
      if (dead) {
        response.writeHead(500).end()
        return
      }
      const soon = Date.now() + 5000 // Prometheus stores samples up to 10 minutes ahead, and then none that is older
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
    const renamed = { exported_site: "honest", exported_constructor: "y", exported_location: "x" }
    assert.deepEqual(usage, [
      { ...own, ...renamed, exported_replica: "b" },
      { ...own, ...renamed, exported_replica: "c" },
    ])
    assert.deepEqual(await seen('up{job="node"}'), [{ __name__: "up", site: "evil.1", job: "node", instance: "own" }])
    assert.deepEqual(await seen(`up{job=~".*evil.1"} offset -10m`), [
      { __name__: "up", site: "evil.1", job: "exported_evil.1", instance: `127.0.0.1:${port}` },
    ])
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
