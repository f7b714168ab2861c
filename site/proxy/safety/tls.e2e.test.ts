import assert from "node:assert/strict"
import { once } from "node:events"
import { type TestContext, suite, test } from "node:test"
import { connect } from "node:tls"
import { pino } from "pino"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../../dev/testing/prometheus.ts"
import { until } from "../../../dev/testing/until.ts"
import { policyFile } from "../policy/load.ts"
import { METRICS, SHARED, startTestProxy, startUpstream, TOKEN } from "../testing.ts"

const authority = makeAuthority("authority")
const issueServer = () => authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })

/** A proxy over TLS that knows a token and a certificate; its web configuration enables HTTP/2. */
async function startSite(t: TestContext) {
  const files = temporaryFolder(t)
  const upstream = await startUpstream(t, (_, response) =>
    response.writeHead(200, { "content-type": METRICS }).end(`project_vcpu_usage 7 ${Date.now()}\n`),
  )
  const replaceCertificate = async (): Promise<void> => {
    const { cert, key } = issueServer()
    await files.write("server.key", key)
    await files.write("server.crt", cert)
  }
  await replaceCertificate()
  await files.write("ca.crt", authority.cert)
  const webConfigFile = await files.write(
    "web.yml",
    `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_ca_file: ca.crt
  client_auth_type: VerifyClientCertIfGiven
http_server_config: {http2: true}
`,
  )
  const policy = await files.write(
    "policy.yaml",
    `upstreams: ["${upstream.url}"]
tokens: [{name: bearer, env: TOKEN, match: ['${SHARED}']}]
certificates: [{name: certificate, san: "DNS:portal.example.org", match: ['${SHARED}']}]
`,
  )
  const log = pino({ enabled: false })
  const proxy = await startTestProxy(t, upstream.url, {
    policy: policyFile(policy, { env: { TOKEN }, now: () => new Date(), log }),
    webConfigFile,
  })
  return {
    files,
    port: proxy.port,
    replaceCertificate,
    log: () =>
      proxy
        .log()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    metrics: async () => (await fetch(`${proxy.adminUrl}/metrics`)).text(),
  }
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`a portal of Prometheus ${version} reads over TLS, whatever its setting for HTTP/2`, async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const { files, port, replaceCertificate } = await startSite(t)
      const client = authority.issue({ name: "portal", sans: ["DNS:portal.example.org"] })
      const tls = { ca_file: await files.write("portal/ca.crt", authority.cert) }
      const pair = {
        cert_file: await files.write("portal/client.crt", client.cert),
        key_file: await files.write("portal/client.key", client.key),
      }
      const authorization = { credentials_file: await files.write("portal/token", TOKEN) }
      const jobs = {
        default: { tls_config: tls, authorization },
        http2: { tls_config: tls, authorization, enable_http2: true },
        http1: { tls_config: tls, authorization, enable_http2: false },
        mtls: { tls_config: { ...tls, ...pair } },
        mtls_http2: { tls_config: { ...tls, ...pair }, enable_http2: true },
      }
      const scrape_configs = Object.entries(jobs).map(([name, job]) => ({
        job_name: name,
        scheme: "https",
        metrics_path: "/federate",
        params: { "match[]": [SHARED] },
        scrape_interval: "1s",
        scrape_timeout: "1s",
        static_configs: [{ targets: [`127.0.0.1:${port}`] }],
        ...job,
      }))
      const portal = await startPrometheus(folder, await files.write("portal.yml", JSON.stringify({ scrape_configs })))
      t.after(() => portal.stop())
      const scrapesOf = async (expression: string): Promise<Readonly<Record<string, number>>> =>
        Object.fromEntries(
          (await portal.query(expression)).map(({ metric, value: [, count] }) => [metric.job, Number(count)]),
        )
      const allRead = (least: number) =>
        until(`${least} samples of every job`, async () => {
          const counts = await scrapesOf("count_over_time(project_vcpu_usage[10m])")
          return Object.keys(jobs).every((job) => (counts[job] ?? 0) >= least) ? true : undefined
        })
      await allRead(1)

      const serial = await serialOf(port)
      await replaceCertificate()
      await until("the renewed certificate", async () => ((await serialOf(port)) === serial ? undefined : true))
      await allRead(3)
      const always = Object.fromEntries(Object.keys(jobs).map((job) => [job, 1]))
      assert.deepEqual(await scrapesOf("min_over_time(up[10m])"), always)
    })
  }
})

test("a portal whose Prometheus objects to the certificate, or speaks plain HTTP, is logged and counted at the site", async (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const { files, port, log, metrics } = await startSite(t)
  const tls = { ca_file: await files.write("portal/ca.crt", authority.cert) }
  const jobs = {
    unknown_ca: { scheme: "https" },
    wrong_name: { scheme: "https", tls_config: { ...tls, server_name: "elsewhere.example.org" } },
    plain: { scheme: "http" },
  }
  const scrape_configs = Object.entries(jobs).map(([job_name, job]) => ({
    ...{ job_name, scrape_interval: "1s", scrape_timeout: "1s" },
    static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    ...job,
  }))
  const portal = await startPrometheus(folder, await files.write("portal.yml", JSON.stringify({ scrape_configs })))
  t.after(() => portal.stop())
  const failures = await until("two of each", async () => {
    const found = [
      ...(await metrics()).matchAll(/^fedstack_web_client_failures_total\{.*reason="(\w+)"\} ([1-9]\d*)$/gm),
    ]
    const counts = Object.fromEntries(found.map(([, reason, count]) => [reason, Number(count)]))
    return (counts.certificate_rejected ?? 0) >= 4 && (counts.plain_http ?? 0) >= 2 ? counts : undefined
  })
  assert.deepEqual(Object.keys(failures).toSorted(), ["certificate_rejected", "plain_http"])
  const reasons = log()
    .filter(({ msg }) => msg === "TLS handshake failed")
    .map(({ reason }) => reason)
  assert.equal(reasons.length, 2)
  assert.deepEqual(
    new Set(reasons),
    new Set([
      "plain HTTP on a port that speaks TLS; the client's URL must begin with https://",
      "the client does not accept this server's certificate (bad certificate): it must know its authority, and use a name that stands in it",
    ]),
  )
})

/** Of the certificate that a new connection is shown. */
async function serialOf(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: "127.0.0.1", ca: authority.cert })
  await once(socket, "secureConnect")
  const serial = socket.getPeerX509Certificate()?.serialNumber
  socket.destroy()
  return serial
}
