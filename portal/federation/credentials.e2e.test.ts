import assert from "node:assert/strict"
import { createServer, type IncomingMessage, request } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { type TestContext, suite, test } from "node:test"
import type { TLSSocket } from "node:tls"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { launcher, startFederatedPortal } from "./testing.ts"

const authority = makeAuthority("authority")
const stranger = makeAuthority("stranger")
const serverPem = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
const portalPem = authority.issue({ name: "portal", sans: ["URI:spiffe://portal"] })
const strangerPem = stranger.issue({ name: "portal", sans: ["URI:spiffe://portal"] })
const SECRET = "s3cret pass:word%"

const byText = (a: string, b: string): number => (a < b ? -1 : 1)
const usage = 'project_vcpu_usage{project_name="a",job="project_usages",instance=""} 5\n'

/** Sites on one server, each with a path of its own; keeps what identified the requests to each. */
async function startSites(t: TestContext) {
  const received = new Map<string, Set<string>>()
  const note = (request_: IncomingMessage, via = ""): void => {
    const path = (request_.url ?? "").replace(/^http:\/\/[^/]+/, "").split("?")[0] ?? ""
    const certificate = (request_.socket as Partial<TLSSocket>).getPeerCertificate?.().subject?.CN ?? "no certificate"
    const set = received.get(path) ?? new Set()
    received.set(path, set.add(`${via}${request_.headers.authorization ?? "no header"}, ${String(certificate)}`))
  }
  const plain = createServer((incoming, response) => {
    note(incoming)
    response.setHeader("content-type", "text/plain; version=0.0.4").end(usage)
  })
  const tls = { ...serverPem, ca: authority.cert, requestCert: true, rejectUnauthorized: false }
  const secure = createSecureServer(tls, (incoming, response) => {
    note(incoming)
    response.setHeader("content-type", "text/plain; version=0.0.4").end(usage)
  })
  const proxy = createServer((incoming, response) => {
    note(incoming, "through the proxy: ")
    const onward = request(incoming.url ?? "", { headers: incoming.headers }, (forwarded) =>
      forwarded.pipe(response.writeHead(forwarded.statusCode ?? 500, forwarded.headers)),
    )
    onward.on("error", () => response.destroy()).end()
  })
  const tokens: string[] = []
  const login = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      tokens.push(`${incoming.headers.authorization ?? "no header"} ${body}`)
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ access_token: "issued", token_type: "Bearer", expires_in: 3600 }))
    })
  })
  const [port, securePort, proxyPort, loginPort] = await Promise.all(
    [plain, secure, proxy, login].map((server) => listen(t, server)),
  )
  return { received, tokens, port, securePort, proxyPort, loginPort }
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of ["2.42", "2.53", "3.5"] as const) {
    test(`Prometheus ${version} sends each site the credentials that sites.yaml names for it`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const { received, tokens, port, securePort, proxyPort, loginPort } = await startSites(t)
      const url = (name: string): string => `http://127.0.0.1:${port}/${name}`
      const portal = await startFederatedPortal(t, prometheus, {
        secret: `${SECRET}\n`,
        token: "t0ken",
        "ca.pem": authority.cert,
        "own.pem": portalPem.cert,
        "own.key": portalPem.key,
        "sites.yaml": `sites:
  - {name: token, url: "${url("token")}", interval: 1s, token: {file: token}}
  - {name: basic, url: "${url("basic")}", interval: 1s, basic_auth: {username: portal, password_file: secret}}
  - {name: other, url: "${url("other")}", interval: 1s, authorization: {type: Token, credentials_file: secret}}
  - name: oauth2
    url: ${url("oauth2")}
    interval: 1s
    oauth2:
      client_id: portal
      client_secret_file: secret
      token_url: "http://127.0.0.1:${loginPort}/token"
      scopes: [metrics]
      endpoint_params: {audience: site}
  - name: certificate
    url: "https://127.0.0.1:${securePort}/certificate"
    interval: 1s
    tls: {ca_file: ca.pem, cert_file: own.pem, key_file: own.key}
  - {name: proxy, url: "${url("proxy")}", interval: 1s, token: {file: token}, proxy_url: "http://127.0.0.1:${proxyPort}"}
`,
      })
      const expected = ["basic", "certificate", "oauth2", "other", "proxy", "token"]
      await until("usage of all", async () => {
        const found = await portal.prometheus.query("project_vcpu_usage")
        assert.deepEqual(found.map(({ metric }) => metric.site ?? "").toSorted(byText), expected)
        return true
      })
      const base64 = Buffer.from(`portal:${SECRET}`).toString("base64")
      assert.deepEqual(Object.fromEntries([...received].map(([path, of]) => [path, [...of].toSorted()])), {
        "/basic/federate": [`Basic ${base64}, no certificate`],
        "/certificate/federate": ["no header, portal"],
        "/oauth2/federate": ["Bearer issued, no certificate"],
        "/other/federate": [`Token ${SECRET}, no certificate`],
        "/proxy/federate": ["Bearer t0ken, no certificate", "through the proxy: Bearer t0ken, no certificate"],
        "/token/federate": ["Bearer t0ken, no certificate"],
      })
      const client = Buffer.from(`portal:${encodeURIComponent(SECRET).replaceAll("%20", "+")}`).toString("base64")
      assert.deepEqual(
        [...new Set(tokens)],
        [`Basic ${client} audience=site&grant_type=client_credentials&scope=metrics`],
      )
      assert.doesNotMatch(portal.child.output(), /s3cret|t0ken/)
    })
  }
})

test("a site that knows its readers by certificate delivers to a portal that has one, without a token", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const folder = temporaryFolder(t)
  const exporter = createServer((_, response) =>
    response.setHeader("content-type", "text/plain; version=0.0.4").end("project_vcpu_usage 5\n"),
  )
  const target = `127.0.0.1:${await listen(t, exporter)}`
  const scraped = { job_name: "project_usages", scrape_interval: "200ms", static_configs: [{ targets: [target] }] }
  const config = { scrape_configs: [{ ...scraped, scrape_timeout: "200ms" }] }
  const ofSite = await startPrometheus(prometheus, await folder.write("prometheus.yml", JSON.stringify(config)))
  t.after(() => ofSite.stop())
  for (const [name, content] of Object.entries({ ...serverPem, ca: authority.cert }))
    await folder.write(`${name}.pem`, content)
  const web = await folder.write(
    "web.yml",
    `tls_server_config:
  cert_file: cert.pem
  key_file: key.pem
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
`,
  )
  const policy = await folder.write(
    "policy.yaml",
    `upstreams: ["${ofSite.url}"]
certificates: [{name: portal, san: "URI:spiffe://portal", match: ['{job="project_usages"}']}]
`,
  )
  const proxy = start(launcher, [
    ...["proxy", `--policy=${policy}`, `--web.config.file=${web}`],
    ...["--web.listen-address=127.0.0.1:0", "--admin.listen-address=127.0.0.1:0"],
  ])
  t.after(() => proxy.stop())
  const port = await until("the proxy to listen", () => {
    if (proxy.process.exitCode !== null) throw new Error(`the proxy ended: ${proxy.output()}`)
    return /addresses=127\.0\.0\.1:(\d+) tls=true/.exec(proxy.output())?.[1]
  })
  const site = (name: string, credentials: string): string =>
    `  - {name: ${name}, url: "https://127.0.0.1:${port}", interval: 1s, match: ['project_vcpu_usage{job="project_usages",x!="${name}"}'], ${credentials}}\n`
  const tls = (pair: string): string => `tls: {ca_file: ca.pem, cert_file: ${pair}.pem, key_file: ${pair}.key}`
  const portal = await startFederatedPortal(t, prometheus, {
    token: "unknown",
    "ca.pem": authority.cert,
    "own.pem": portalPem.cert,
    "own.key": portalPem.key,
    "stranger.pem": strangerPem.cert,
    "stranger.key": strangerPem.key,
    "sites.yaml": `sites:\n${site("certificate", tls("own"))}${site("wrong-token", `token: {file: token}, ${tls("own")}`)}${site("stranger", tls("stranger"))}`,
  })
  const up = async () =>
    Object.fromEntries((await portal.prometheus.query("up")).map(({ metric, value }) => [metric.site, value[1]]))
  await until("the site with the certificate alone to deliver", async () => {
    assert.deepEqual(await up(), { certificate: "1", "wrong-token": "0", stranger: "0" })
    return true
  })
  const series = await portal.prometheus.query("project_vcpu_usage")
  assert.deepEqual(
    series.map(({ metric }) => metric),
    [{ __name__: "project_vcpu_usage", job: "project_usages", instance: target, site: "certificate" }],
  )
  const check = start(launcher, ["check", "sites", join(portal.folder, "sites.yaml"), "--connect"])
  assert.equal(await check.ended, 1)
  const found = check.output().match(/^(?: {2}(?:delivers|fails) .*|\S+ sites\[.*)$/gm) ?? []
  const unauthorized = `401: the site does not accept the credentials ("A valid token is needed, as the header 'Authorization: Bearer TOKEN'.")`
  const closed =
    "the connection was closed without a response; so it is where a site does not accept the client certificate"
  assert.deepEqual(
    found.map((line) => line.replace(/in \d\.\d\ds$/, "in SECONDS").replace(portal.folder, "DIR")),
    [
      "  delivers 1 series in SECONDS",
      `  fails    ${unauthorized}`,
      `  fails    ${closed}`,
      `DIR/sites.yaml:3:5 sites[1]: wrong-token does not deliver: ${unauthorized}`,
      `DIR/sites.yaml:4:5 sites[2]: stranger does not deliver: ${closed}`,
    ],
  )
})
