import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { suite, test } from "node:test"
import { readText } from "#core/files/read-text.ts"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus, type Version } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { loadPlan } from "./load.ts"
import { publish } from "./publish.ts"
import { ready, scratch, startFederatedPortal, startPortal, testInputs } from "./testing.ts"

const UUID = "11111111-2222-4333-8444-555555555555"
const TLS = "{ca_file: tls/ca.pem, cert_file: tls/own.pem, key_file: tls/own.key}"
/** Every relative path that the versions know, and what only looks like one. */
const everyPath = (version: Version): string => `
global:
  query_log_file: query.log
  external_labels: {ca_file: label.pem}
${version === "3.5" ? "  scrape_failure_log_file: failed.log\n" : ""}
${version === "2.42" ? "" : "scrape_config_files: [extra/*.yml, /nowhere/*.yml]\n"}
tracing: {endpoint: "127.0.0.1:1", tls_config: ${TLS}, headers: {key_file: x.key}}
alerting:
  alertmanagers:
    - tls_config: ${TLS}
      basic_auth: {username: u, password_file: secrets/password}
      file_sd_configs: [{files: ["alertmanagers/*.json"]}]
remote_write:
  - url: http://127.0.0.1:1/w
    authorization: {credentials_file: secrets/token}
    tls_config: ${TLS}
    headers: {token_file: secrets/x}
remote_read:
  - url: http://127.0.0.1:1/r
    oauth2: {client_id: i, client_secret_file: secrets/token, token_url: "http://127.0.0.1:1", tls_config: ${TLS}}
scrape_configs:
  - job_name: own
    scheme: https
    params: {ca_file: [x.pem], files: [x.json]}
    tls_config: &tls ${TLS}
    bearer_token_file: ./secrets/../secrets/token
${version === "3.5" ? "    scrape_failure_log_file: job.log\n    http_headers: {X-Token: {files: [secrets/token]}}\n" : ""}
    static_configs: [{targets: ["127.0.0.1:1"], labels: {ca_file: x.pem}}]
  - job_name: anchored
    tls_config: *tls
    static_configs: [{targets: ["127.0.0.1:1"]}]
  - job_name: merged
    tls_config: {<<: *tls, server_name: x}
    file_sd_configs: [{files: ['targets/*.json', "/nowhere/*.json", 7.json]}]
    http_sd_configs: [{url: "http://127.0.0.1:1", basic_auth: {username: u, password_file: secrets/password}}]
${version === "2.42" ? "" : "    kubernetes_sd_configs: [{role: pod, kubeconfig_file: secrets/kubeconfig}]\n"}
    marathon_sd_configs: [{servers: ["http://127.0.0.1:1"], auth_token_file: secrets/token}]
    scaleway_sd_configs: [{role: instance, project_id: "${UUID}", access_key: SCW00000000000000000, secret_key_file: secrets/token}]
`

const authority = makeAuthority("ca")
const own = authority.issue({ name: "own" })
const beside: Readonly<Record<string, string>> = {
  "tls/ca.pem": authority.cert,
  "tls/own.pem": own.cert,
  "tls/own.key": own.key,
  "secrets/token": "t",
  "secrets/password": "p",
  "secrets/kubeconfig": "apiVersion: v1\nkind: Config\n",
  "targets/a.json": '[{"targets": ["127.0.0.1:2"]}]',
  "extra/job.yml":
    "scrape_configs: [{job_name: extra, scheme: https, tls_config: {ca_file: ../tls/ca.pem}, static_configs: [{targets: ['127.0.0.1:3']}]}]",
}

async function loadedConfig(url: string): Promise<string> {
  const { data } = (await (await fetch(`${url}/api/v1/status/config`)).json()) as { data: { yaml: string } }
  return data.yaml
}

async function scraped(url: string): Promise<readonly string[]> {
  const { data } = (await (await fetch(`${url}/api/v1/targets?state=active`)).json()) as {
    data: { activeTargets: { scrapePool: string; scrapeUrl: string }[] }
  }
  return data.activeTargets.map(({ scrapePool, scrapeUrl }) => `${scrapePool} ${scrapeUrl}`).toSorted()
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of ["2.42", "2.53", "3.5"] as const) {
    test(`Prometheus ${version} finds all files of a base configuration where it would find them without the portal`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const folder = await scratch(t)
      for (const name of ["tls", "secrets", "targets", "extra"]) await mkdir(join(folder, name))
      for (const [name, content] of Object.entries(beside)) await writeFile(join(folder, name), content)
      await writeFile(join(folder, "base.yml"), everyPath(version))
      await writeFile(join(folder, "sites.yaml"), "sites: []\n")
      const [major = 0, minor = 0] = version.split(".").map(Number)
      const settings = {
        sitesFile: join(folder, "sites.yaml"),
        baseConfig: join(folder, "base.yml"),
        configDir: join(folder, "out"),
        prometheusVersion: { major, minor },
      }
      const plan = await loadPlan(settings, [], testInputs({}, readText))
      await publish(settings.configDir, plan.of().files)
      const [direct, written] = await Promise.all(
        [settings.baseConfig, join(settings.configDir, "prometheus.yml")].map((file) =>
          startPrometheus(prometheus, file),
        ),
      )
      assert.ok(direct && written)
      t.after(async () => {
        for (const running of [direct, written]) {
          await running.child.stop("SIGKILL") // it would wait to send what it has to remote_write
          await running.stop()
        }
      })
      assert.equal(await loadedConfig(written.url), await loadedConfig(direct.url))
      const expected = [
        "anchored http://127.0.0.1:1/metrics",
        ...(version === "2.42" ? [] : ["extra https://127.0.0.1:3/metrics"]),
        "merged http://127.0.0.1:2/metrics",
        "own https://127.0.0.1:1/metrics?ca_file=x.pem&files=x.json",
      ]
      for (const { url } of [direct, written]) {
        await until("its targets", async () => {
          assert.deepEqual(await scraped(url), expected)
          return true
        })
      }
    })
  }
})

test("a job that Prometheus does not scrape, because it cannot read a file of it, is logged and counted", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const job = (file: string): string =>
    `scrape_configs: [{job_name: own, scheme: https, tls_config: {ca_file: ${file}}, static_configs: [{targets: ["127.0.0.1:1"]}]}]\n`
  const portal = await startFederatedPortal(t, prometheus, {
    token: "token",
    "ca.pem": authority.cert,
    "sites.yaml": `sites: [{name: a, url: "http://127.0.0.1:1", token: {file: token}}]\n`,
    "base.yml": job("/nowhere/ca.pem"),
  })
  const notScraped = (expected: number) =>
    until(`${expected} jobs that are not scraped`, async () =>
      (await portal.metric("fedstack_portal_jobs_not_scraped")) === expected ? true : undefined,
    )
  await notScraped(1)
  assert.match(portal.child.output(), /level=warn .*msg="Prometheus does not scrape these jobs: .*" jobs=own/)
  await portal.write("base.yml", job("ca.pem"))
  await notScraped(0)
})

test("how many jobs Prometheus does not scrape is not known before it says so", async (t) => {
  const portal = await startPortal(t, { "sites.yaml": "sites: []\n" })
  await ready(portal)
  assert.equal(await portal.metric("fedstack_portal_sites"), 0)
  assert.equal(await portal.metric("fedstack_portal_jobs_not_scraped"), undefined)
})
